-- +goose Up
-- What providers of masked numbers and messages report stands under the company's own number: of which parcel a record
-- is, and so of which outlet, is known only later, and never changes then. settings are sealed: the provider's keys.
create table provider_account (
  outlet_no bigint not null, provider text not null, settings bytea, created_at_ms bigint not null, updated_at_ms bigint not null,
  primary key (outlet_no, provider));
-- Addresses with a secret that providers call.
create table provider_callback (
  outlet_no bigint not null, hash text not null, id text not null, provider text not null, created_at_ms bigint not null,
  primary key (outlet_no, hash));
-- body is sealed as it came. variant: '', or the digest of a record under a key that another has already.
-- state: 'waiting', 'read', 'quarantined' or 'conflict'.
create table provider_record (
  outlet_no bigint not null, provider text not null, event_key text not null, variant text not null, digest text not null,
  kind text not null, subject text not null, at_ms bigint not null, received_at_ms bigint not null, state text not null,
  reason text not null, body bytea not null,
  primary key (outlet_no, provider, event_key, variant));
create index provider_record_waiting on provider_record (outlet_no, provider, received_at_ms, event_key) where state = 'waiting';
create index provider_record_by_day on provider_record (outlet_no, provider, at_ms) where variant = '';
create index provider_record_faults on provider_record (outlet_no, received_at_ms, provider, event_key, variant) where state in ('quarantined', 'conflict');
-- Calls and messages. events: all that was reported of one, as JSON without numbers; what they come to is their fold.
create table provider_contact (
  outlet_no bigint not null, provider text not null, kind text not null, subject text not null,
  reference text not null, number_hash text not null, intent_id text not null,
  waybill text not null, parcel_outlet_no bigint not null, courier_no bigint not null,
  started_at_ms bigint not null, events text not null, updated_at_ms bigint not null,
  primary key (outlet_no, provider, kind, subject));
create index provider_contact_by_parcel on provider_contact (outlet_no, waybill, started_at_ms) where waybill <> '';
create index provider_contact_unassigned on provider_contact (outlet_no, provider) where waybill = '';
-- Minutes in which a provider was heard, and how many records it says a day had.
create table provider_sighting (
  outlet_no bigint not null, provider text not null, at_ms bigint not null,
  primary key (outlet_no, provider, at_ms));
create table provider_total (
  outlet_no bigint not null, provider text not null, day text not null, records bigint not null, declared_at_ms bigint not null,
  primary key (outlet_no, provider, day));
-- That a courier was about to dial; and the masked number that the carrier bound to a parcel, sealed.
create table call_intent (
  outlet_no bigint not null, id text not null, provider text not null, parcel_outlet_no bigint not null, waybill text not null,
  courier_no bigint not null, number_hash text not null, at_ms bigint not null,
  primary key (outlet_no, id));
create index call_intent_by_number on call_intent (outlet_no, number_hash, at_ms);
create index call_intent_by_time on call_intent (outlet_no, at_ms);
create table parcel_line (
  outlet_no bigint not null, waybill text not null, provider text not null, number bytea not null, until_ms bigint not null,
  primary key (outlet_no, waybill));

-- +goose Down
drop table parcel_line;
drop table call_intent;
drop table provider_total;
drop table provider_sighting;
drop table provider_contact;
drop table provider_record;
drop table provider_callback;
drop table provider_account;
