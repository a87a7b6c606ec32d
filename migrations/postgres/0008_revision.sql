-- +goose Up
-- Consumers whose wishes changed: couriers who have a parcel of theirs out are told, once a consumer's changes have
-- settled. but_waybill is the parcel that a complaint was about: its own lesson comes too late for it.
create table wish_change (
  consumer_id text not null, but_waybill text not null, due_at_ms bigint not null,
  primary key (consumer_id, but_waybill));
create index wish_change_due on wish_change (due_at_ms);
-- By day first: a busy day's entries stay together, however long the history is.
create index dispatch_by_consumer on dispatch (day, consumer_id);
-- The alert that took the first one's place; null while none did.
alter table dispatch add column revised_alert_id text;
alter table alert add column version bigint not null default 1;
alter table alert add column supersedes text not null default '';
alter table alert add column superseded_at_ms bigint;

-- +goose Down
alter table alert drop column superseded_at_ms;
alter table alert drop column supersedes;
alter table alert drop column version;
alter table dispatch drop column revised_alert_id;
drop index dispatch_by_consumer;
drop table wish_change;
