-- +goose Up
-- Whom an event or a replayed answer names, so that it goes when he asks to be forgotten; '' where it names nobody.
alter table outbox add column consumer_id text not null default '';
alter table event add column consumer_id text not null default '';
alter table replay add column consumer_id text not null default '';
create index outbox_of_consumer on outbox (consumer_id) where consumer_id <> '';
create index event_of_consumer on event (consumer_id) where consumer_id <> '';
create index replay_of_consumer on replay (consumer_id) where consumer_id <> '';
-- A body that is past its time is emptied; the row still tells repeats.
create index provider_record_by_age on provider_record (outlet_no, received_at_ms) where state <> 'waiting' and length(body) > 0;
create index parcel_line_by_age on parcel_line (outlet_no, until_ms);

-- +goose Down
drop index parcel_line_by_age;
drop index provider_record_by_age;
drop index replay_of_consumer;
drop index event_of_consumer;
drop index outbox_of_consumer;
alter table replay drop column consumer_id;
alter table event drop column consumer_id;
alter table outbox drop column consumer_id;
