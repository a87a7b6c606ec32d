-- +goose Up
create table consumer (
  consumer_id text primary key, company_no integer not null, learning integer not null, updated_at_ms integer not null) without rowid;
-- scope: "standing", "address:<id>" or "parcel:<waybill>"; state: "on", or "off" for what the consumer took away.
create table preference (
  consumer_id text not null, scope text not null, tag text not null, state text not null, set_at_ms integer not null,
  primary key (consumer_id, scope, tag)) without rowid;
create table preference_note (
  consumer_id text not null, scope text not null, note blob not null, set_at_ms integer not null,
  primary key (consumer_id, scope)) without rowid;
-- source_id is the complaint's id: one complaint teaches one tag once.
create table tag_evidence (
  consumer_id text not null, tag text not null, source_id text not null, category text not null, address_id text not null,
  weight real not null, at_ms integer not null,
  primary key (consumer_id, tag, source_id)) without rowid;
create table consent (
  consumer_id text not null, id text not null, kind text not null, scope text not null, facility text not null,
  receipt_method text not null, by_preference integer not null, given_at_ms integer not null, valid_until_ms integer, revoked_at_ms integer,
  primary key (consumer_id, id)) without rowid;

-- +goose Down
drop table consent;
drop table tag_evidence;
drop table preference_note;
drop table preference;
drop table consumer;
