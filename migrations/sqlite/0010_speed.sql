-- +goose Up
-- An outlet's queue by itself: what others have waiting costs it nothing.
drop index push_due;
create index push_waiting on push (outlet_no, due_at_ms) where state in ('open', 'due');
drop index delivery_due;
create index delivery_waiting on delivery (outlet_no, provider, next_at_ms, id) where state in ('queued', 'leased');
create index delivery_ending on delivery (outlet_no, expires_at_ms) where state in ('queued', 'leased');

-- +goose Down
drop index delivery_ending;
drop index delivery_waiting;
create index delivery_due on delivery (next_at_ms, outlet_no) where state in ('queued', 'leased');
drop index push_waiting;
create index push_due on push (due_at_ms, outlet_no) where state in ('open', 'due');
