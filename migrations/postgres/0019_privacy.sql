-- +goose Up
-- What keeps a parcel's data past its time, set by a named human until he releases it. An open complaint holds by itself.
create table hold (
  outlet_no bigint not null, id text not null, company_no bigint not null, waybill text not null, reason text not null,
  set_by text not null, set_at_ms bigint not null, released_by text not null default '', released_at_ms bigint,
  primary key (outlet_no, id));
create index hold_of_parcel on hold (outlet_no, waybill) where released_at_ms is null;
-- Consumers who asked to be forgotten. erased_at_ms: null while parcels of theirs wait.
create table erasure (
  consumer_id text not null, company_no bigint not null, asked_at_ms bigint not null, erased_at_ms bigint,
  primary key (consumer_id));
-- Their parcels that are still to be erased, and why one waits: '' (its turn), "complaint" or "hold".
create table erasure_parcel (
  consumer_id text not null, outlet_no bigint not null, waybill text not null, held text not null, next_at_ms bigint not null,
  primary key (consumer_id, outlet_no, waybill));
create index erasure_parcel_due on erasure_parcel (next_at_ms);
-- How far an outlet's records have been looked through for a class of data, and when the next of them is past its time.
create table retention (
  outlet_no bigint not null, class text not null, after_id text not null, due_at_ms bigint not null,
  primary key (outlet_no, class));
create index retention_due on retention (due_at_ms, outlet_no);
-- Parcels that were past their time while a complaint or a hold kept them, and when to look again.
create table spared_parcel (
  outlet_no bigint not null, waybill text not null, due_at_ms bigint not null,
  primary key (outlet_no, waybill));
create index spared_parcel_due on spared_parcel (due_at_ms, outlet_no);
-- The record of the erasure that took the values.
alter table evidence_value add column erased_by text;
-- null while the complaint is open, and of those closed before this column was.
alter table complaint add column closed_at_ms bigint;
create index evidence_access on evidence (outlet_no, received_at_ms, id) where kind = 'access';
-- A consumer's parcels are found by their dispatches; those that never went out, here.
create index parcel_undispatched on parcel (consumer_id) where dispatched_at_ms is null and consumer_id <> '';
create index parcel_undispatched_by_age on parcel (outlet_no, updated_at_ms) where dispatched_at_ms is null and consumer_id <> '';
create index link_of_consumer on link (consumer_id);
create index token_of_consumer on token (consumer_id) where consumer_id <> '';
create index token_by_expiry on token (expires_at_ms);
create index tag_evidence_by_age on tag_evidence (at_ms);
create index tag_verdict_by_age on tag_verdict (at_ms);

-- +goose Down
drop index tag_verdict_by_age;
drop index tag_evidence_by_age;
drop index token_by_expiry;
drop index token_of_consumer;
drop index link_of_consumer;
drop index parcel_undispatched_by_age;
drop index parcel_undispatched;
drop index evidence_access;
alter table complaint drop column closed_at_ms;
alter table evidence_value drop column erased_by;
drop table spared_parcel;
drop table retention;
drop table erasure_parcel;
drop table erasure;
drop table hold;
