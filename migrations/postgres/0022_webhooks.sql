-- +goose Up
-- A webhook stands, like the feed, under its company's own number. body is sealed: it holds the secrets, and a URL may.
-- types: a JSON list, empty for all. after_seq: the last number of the feed that became a delivery, or was not wanted.
create table webhook (
  outlet_no bigint not null, id text not null, types text not null, after_seq bigint not null, created_at_ms bigint not null,
  failing_since_ms bigint, disabled_at_ms bigint, disabled_because text not null, sequence bigint not null, body bytea not null,
  primary key (outlet_no, id));
-- lease: who attempts it until due_at_ms. status, fault and took_ms are of the last attempt. A row goes with its event.
create table webhook_delivery (
  outlet_no bigint not null, webhook_id text not null, seq bigint not null, object_id text not null, state text not null,
  attempts bigint not null, due_at_ms bigint not null, lease text not null, status bigint not null, fault text not null,
  took_ms bigint not null, attempted_at_ms bigint,
  primary key (outlet_no, webhook_id, seq));
create index webhook_delivery_due on webhook_delivery (outlet_no, webhook_id, due_at_ms, seq) where state = 'waiting';
create index webhook_delivery_live on webhook_delivery (outlet_no, webhook_id, object_id, seq) where state in ('waiting', 'queued');
create index webhook_delivery_by_state on webhook_delivery (outlet_no, webhook_id, state, seq);
create index webhook_delivery_by_seq on webhook_delivery (outlet_no, seq);

-- +goose Down
drop table webhook_delivery;
drop table webhook;
