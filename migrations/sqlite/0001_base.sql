-- +goose Up
-- Times are UTC milliseconds. Keys of hot tables begin with the outlet's number,
-- of consumers' tables with the consumer, so that either can be spread over nodes.
create table setting (name text primary key, value text not null) without rowid;
create table counter (name text primary key, value integer not null) without rowid;

create table company (no integer primary key, name text not null unique, created_at_ms integer not null);
create table outlet (
  no integer primary key, company_no integer not null, id text not null, name text not null,
  time_zone text not null, hours text not null, locale text not null,
  created_at_ms integer not null, updated_at_ms integer not null,
  unique (company_no, id));
-- home_no keeps what is the courier's own (devices, inbox counter). It never changes, even when he works for another outlet.
create table courier (
  no integer primary key, company_no integer not null, id text not null, home_no integer not null, outlet_no integer,
  name text not null, locale text not null, created_at_ms integer not null, updated_at_ms integer not null,
  unique (company_no, id));
-- where a courier ever worked: the outlets that hold his dispatches and alerts
create table courier_outlet (courier_no integer not null, outlet_no integer not null, primary key (courier_no, outlet_no)) without rowid;
create table token (
  hash text primary key, id text not null unique, company_no integer not null, role text not null,
  outlet_id text not null, courier_id text not null, consumer_id text not null, subject text not null,
  waybill text not null, link_outlet_no integer not null,
  created_at_ms integer not null, expires_at_ms integer not null, revoked_at_ms integer) without rowid;
-- answer is null while the first request under the key runs.
create table replay (
  scope text primary key, fingerprint text not null, claim text not null, claimed_at_ms integer not null, answer blob) without rowid;
create index replay_by_age on replay (claimed_at_ms);

-- +goose Down
drop table replay;
drop table token;
drop table courier_outlet;
drop table courier;
drop table outlet;
drop table company;
drop table counter;
drop table setting;
