-- +goose Up
-- status: what the carrier's code of a scan means, in our own words; empty where that is not known.
alter table scan add column status text not null default '';
-- known_as: the id by which everybody knows a complaint that was rerouted here; moved_to: the row that took this one's place.
alter table complaint add column known_as text not null default '';
alter table complaint add column moved_to text not null default '';
alter table complaint add column follows text not null default '';
alter table complaint add column routing text not null default '';
alter table complaint add column rerouted bigint not null default 0;
alter table complaint add column handler text not null default '';
-- period: the round that counts now, with its frozen rules, as JSON; what is looked for stands in columns of its own.
alter table complaint add column period text not null default '';
alter table complaint add column work_due_at_ms bigint;
alter table complaint add column handled_at_ms bigint;
alter table complaint add column paused_ms bigint not null default 0;
alter table complaint add column alarm_at_ms bigint;
alter table complaint add column sequence bigint not null default 1;
-- The queue of an outlet: what owes an answer, the most urgent first.
create index complaint_queue on complaint (outlet_no, promise_due_at_ms, id) where status in ('filed', 'in_progress', 'disputed', 'reopened');
create index complaint_alarm on complaint (alarm_at_ms, outlet_no) where alarm_at_ms is not null;
create table complaint_period (
  outlet_no bigint not null, complaint_id text not null, no bigint not null, body text not null,
  primary key (outlet_no, complaint_id, no));
create table complaint_note (
  outlet_no bigint not null, complaint_id text not null, id text not null, author text not null, body bytea, at_ms bigint not null,
  primary key (outlet_no, complaint_id, id));
create table complaint_reporter (
  outlet_no bigint not null, complaint_id text not null, id text not null, channel text not null, body bytea, at_ms bigint not null,
  primary key (outlet_no, complaint_id, id));
-- The key tells each audience of each step once.
create table notice (
  outlet_no bigint not null, complaint_id text not null, period_no bigint not null, clock text not null, percent bigint not null,
  audience text not null, id text not null, company_no bigint not null, courier_no bigint, due_at_ms bigint not null, at_ms bigint not null,
  primary key (outlet_no, complaint_id, period_no, clock, percent, audience));
create index notice_by_time on notice (outlet_no, at_ms, id);

-- +goose Down
drop table notice;
drop table complaint_reporter;
drop table complaint_note;
drop table complaint_period;
drop index complaint_alarm;
drop index complaint_queue;
alter table complaint drop column sequence;
alter table complaint drop column alarm_at_ms;
alter table complaint drop column paused_ms;
alter table complaint drop column handled_at_ms;
alter table complaint drop column work_due_at_ms;
alter table complaint drop column period;
alter table complaint drop column handler;
alter table complaint drop column rerouted;
alter table complaint drop column routing;
alter table complaint drop column follows;
alter table complaint drop column moved_to;
alter table complaint drop column known_as;
alter table scan drop column status;
