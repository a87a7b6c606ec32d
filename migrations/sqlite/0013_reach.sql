-- +goose Up
-- What a transaction tells the carrier's systems, written with its cause at the outlet concerned, until the relay has
-- numbered it. body is sealed: it may hold a link.
create table outbox (
  outlet_no integer not null, id text not null, company_no integer not null, type text not null, sequence integer not null,
  at_ms integer not null, body blob not null,
  primary key (outlet_no, id)) without rowid;
-- The feed of a company stands under the company's own number. Whoever numbers it holds the head's row.
create table event_head (outlet_no integer not null, seq integer not null, primary key (outlet_no)) without rowid;
create table event (
  outlet_no integer not null, seq integer not null, id text not null, type text not null, sequence integer not null,
  at_ms integer not null, numbered_at_ms integer not null, body blob not null,
  primary key (outlet_no, seq)) without rowid;
-- Links that open one form and nothing else. answers counts how often one was answered. day and asker are of pre-contacts: one a parcel and day.
create table link (
  outlet_no integer not null, hash text not null, kind text not null, company_no integer not null, consumer_id text not null,
  waybill text not null, asker text not null, day integer not null, created_at_ms integer not null, expires_at_ms integer not null,
  answer text not null, answered_at_ms integer, answers integer not null default 0,
  primary key (outlet_no, hash)) without rowid;
create unique index link_of_day on link (outlet_no, waybill, day) where kind = 'pre_contact';
create index link_by_asker on link (outlet_no, asker, day) where kind = 'pre_contact';
create index link_by_age on link (expires_at_ms, outlet_no);
-- The last question about each tag. answer: '', "yes" or "no".
create table question (
  consumer_id text not null, tag text not null, link_hash text not null, asked_at_ms integer not null, expires_at_ms integer not null,
  answer text not null, answered_at_ms integer,
  primary key (consumer_id, tag)) without rowid;
-- The language of the last form that the consumer sent; '' if none.
alter table consumer add column locale text not null default '';

-- +goose Down
alter table consumer drop column locale;
drop table question;
drop table link;
drop table event;
drop table event_head;
drop table outbox;
