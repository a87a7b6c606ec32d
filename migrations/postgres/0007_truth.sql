-- +goose Up
-- An alert ends in exactly one way: informed_at_ms, or not_informed_reason.
alter table alert add column not_informed_reason text not null default '';
alter table alert add column escalated_at_ms bigint;
create index alert_unread on alert (expires_at_ms, outlet_no) where informed_at_ms is null and not_informed_reason = '';
create index alert_by_time on alert (outlet_no, created_at_ms, id) where acked_at_ms is null;
-- held: why a push rang nobody, "quiet_hours" or "budget".
alter table push add column held text not null default '';
create index push_by_courier on push (outlet_no, courier_no, opened_at_ms);
alter table outlet add column push_rules text not null default '{}';
-- Pushes that carry alerts of an earlier one again: to a device that joined late, or as a reminder.
create table push_alert (
  outlet_no bigint not null, alert_id text not null, push_id text not null,
  primary key (outlet_no, push_id, alert_id));
create index push_of_alert on push_alert (outlet_no, alert_id);
-- 1: shown without a sound, since another phone of the courier rings.
alter table delivery add column silent bigint not null default 0;
-- What happens if a push stays unacknowledged. state: "due", then "done", or "void" where all was acknowledged in time.
create table escalation (
  outlet_no bigint not null, push_id text not null, step text not null, due_at_ms bigint not null, state text not null,
  primary key (outlet_no, push_id, step));
create index escalation_due on escalation (due_at_ms, outlet_no) where state = 'due';

-- +goose Down
alter table outlet drop column push_rules;
drop index push_by_courier;
alter table push drop column held;
alter table delivery drop column silent;
drop table push_alert;
drop table escalation;
drop index alert_by_time;
drop index alert_unread;
alter table alert drop column escalated_at_ms;
alter table alert drop column not_informed_reason;
