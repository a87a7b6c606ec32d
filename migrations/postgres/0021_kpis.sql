-- +goose Up
-- when an answer was first disputed, or the complaint reopened
alter table complaint add column reopened_at_ms bigint;
-- What signed parcels are counted by: our sign-for, or the carrier's terminal scan.
create index sign_for_by_time on sign_for (outlet_no, at_ms);
create index scan_signed on scan (outlet_no, at_ms) where status in ('signed_self', 'signed_proxy', 'signed_facility', 'signed_after_exception');
-- An outlet's counts of a local day, as the package kpi defines them.
create table kpi_day (
  outlet_no bigint not null, day bigint not null,
  filed bigint not null, same_day bigint not null, within_24h bigint not null, within_7d bigint not null, before_16 bigint not null,
  same_day_before_16 bigint not null, same_day_durable bigint not null, repeats bigint not null, repeats_any_category bigint not null,
  repeats_same_parcel bigint not null, repeats_same_outlet bigint not null, false_signs bigint not null, closed bigint not null,
  confirmed bigint not null, closed_unconfirmed bigint not null, paused bigint not null, late_paused bigint not null, penalties bigint not null,
  parcels bigint not null, unalerted bigint not null, unalerted_blamed bigint not null, alerted bigint not null, delivered bigint not null,
  informed bigint not null, followed bigint not null, unfollowed bigint not null, followed_blamed bigint not null, unfollowed_blamed bigint not null,
  primary key (outlet_no, day));
-- The same, apart by courier and category. category is '' where parcels are counted, courier_no 0 where nobody had them.
create table kpi_part (
  outlet_no bigint not null, day bigint not null, courier_no bigint not null, category text not null,
  filed bigint not null, same_day bigint not null, within_24h bigint not null, within_7d bigint not null, before_16 bigint not null,
  same_day_before_16 bigint not null, same_day_durable bigint not null, repeats bigint not null, repeats_any_category bigint not null,
  repeats_same_parcel bigint not null, repeats_same_outlet bigint not null, false_signs bigint not null, closed bigint not null,
  confirmed bigint not null, closed_unconfirmed bigint not null, paused bigint not null, late_paused bigint not null, penalties bigint not null,
  parcels bigint not null, unalerted bigint not null, unalerted_blamed bigint not null, alerted bigint not null, delivered bigint not null,
  informed bigint not null, followed bigint not null, unfollowed bigint not null, followed_blamed bigint not null, unfollowed_blamed bigint not null,
  primary key (outlet_no, day, courier_no, category));
-- What has to be counted anew: the day of at_ms; all days where that is null. Each change adds its own, so that none waits for another, and
-- whoever counts removes those that it saw.
create table kpi_mark (
  outlet_no bigint not null, id text not null, at_ms bigint, marked_at_ms bigint not null,
  primary key (outlet_no, id));
-- Whoever counts an outlet's days holds its row.
create table kpi_head (outlet_no bigint not null, primary key (outlet_no));
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
