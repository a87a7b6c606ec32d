-- +goose Up
-- when an answer was first disputed, or the complaint reopened
alter table complaint add column reopened_at_ms integer;
-- What signed parcels are counted by: our sign-for, or the carrier's terminal scan.
create index sign_for_by_time on sign_for (outlet_no, at_ms);
create index scan_signed on scan (outlet_no, at_ms) where status in ('signed_self', 'signed_proxy', 'signed_facility', 'signed_after_exception');
-- An outlet's counts of a local day, as the package kpi defines them.
create table kpi_day (
  outlet_no integer not null, day integer not null,
  filed integer not null, same_day integer not null, within_24h integer not null, within_7d integer not null, before_16 integer not null,
  same_day_before_16 integer not null, same_day_durable integer not null, repeats integer not null, repeats_any_category integer not null,
  repeats_same_parcel integer not null, repeats_same_outlet integer not null, false_signs integer not null, closed integer not null,
  confirmed integer not null, closed_unconfirmed integer not null, paused integer not null, late_paused integer not null, penalties integer not null,
  parcels integer not null, unalerted integer not null, unalerted_blamed integer not null, alerted integer not null, delivered integer not null,
  informed integer not null, followed integer not null, unfollowed integer not null, followed_blamed integer not null, unfollowed_blamed integer not null,
  primary key (outlet_no, day)) without rowid;
-- The same, apart by courier and category. category is '' where parcels are counted, courier_no 0 where nobody had them.
create table kpi_part (
  outlet_no integer not null, day integer not null, courier_no integer not null, category text not null,
  filed integer not null, same_day integer not null, within_24h integer not null, within_7d integer not null, before_16 integer not null,
  same_day_before_16 integer not null, same_day_durable integer not null, repeats integer not null, repeats_any_category integer not null,
  repeats_same_parcel integer not null, repeats_same_outlet integer not null, false_signs integer not null, closed integer not null,
  confirmed integer not null, closed_unconfirmed integer not null, paused integer not null, late_paused integer not null, penalties integer not null,
  parcels integer not null, unalerted integer not null, unalerted_blamed integer not null, alerted integer not null, delivered integer not null,
  informed integer not null, followed integer not null, unfollowed integer not null, followed_blamed integer not null, unfollowed_blamed integer not null,
  primary key (outlet_no, day, courier_no, category)) without rowid;
-- What has to be counted anew: the day of at_ms; all days where that is null. Each change adds its own, so that none waits for another, and
-- whoever counts removes those that it saw.
create table kpi_mark (
  outlet_no integer not null, id text not null, at_ms integer, marked_at_ms integer not null,
  primary key (outlet_no, id)) without rowid;
-- Whoever counts an outlet's days holds its row.
create table kpi_head (outlet_no integer not null, primary key (outlet_no)) without rowid;
-- What was there before is counted once.
insert into kpi_mark (outlet_no, id, at_ms, marked_at_ms) select no, 'before', null, 0 from outlet;

-- +goose Down
drop table kpi_head;
drop table kpi_mark;
drop table kpi_part;
drop table kpi_day;
drop index scan_signed;
drop index sign_for_by_time;
alter table complaint drop column reopened_at_ms;
