-- +goose Up
-- Few consumers switch learning off: who did is found without a look at the others' rows.
create index consumer_unteachable on consumer (consumer_id) where learning = 0;

-- +goose Down
drop index consumer_unteachable;
