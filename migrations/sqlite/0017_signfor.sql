-- +goose Up
-- How parcels were handed over: each version takes the place of the one before, and all stay. What they say beside their method is in the record of
-- the same id. act: "sign_for", "correction" or "withdrawal"; ground: "in_person", "consent", "override" or "withdrawn".
create table sign_for (
  outlet_no integer not null, waybill text not null, version integer not null, id text not null, courier_no integer not null,
  act text not null, method text not null, ground text not null, consent_id text not null, at_ms integer not null, received_at_ms integer not null,
  primary key (outlet_no, waybill, version)) without rowid;
create index sign_for_overridden on sign_for (outlet_no, received_at_ms, id) where ground = 'override';
-- when we received the sign-for that holds; null while none does
alter table parcel add column signed_at_ms integer;
-- outcome and reason are of our vocabulary; '' where a phone used words of its own, which are in the record of the same id.
create table attempt (
  outlet_no integer not null, waybill text not null, received_at_ms integer not null, id text not null, courier_no integer not null,
  client_id text not null, outcome text not null, reason text not null, at_ms integer not null,
  primary key (outlet_no, waybill, received_at_ms, id)) without rowid;
-- What the consumer was told with a consent to a locker or a pickup point: until when it is free, and what a day costs then.
alter table consent add column free_until_ms integer;
alter table consent add column fee_fen integer not null default 0;

-- +goose Down
alter table consent drop column fee_fen;
alter table consent drop column free_until_ms;
drop table attempt;
alter table parcel drop column signed_at_ms;
drop table sign_for;
