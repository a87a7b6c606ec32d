-- +goose Up
create table inbox_head (
  outlet_no bigint not null, courier_no bigint not null, seq bigint not null,
  primary key (outlet_no, courier_no));
create table alert (
  outlet_no bigint not null, id text not null, courier_no bigint not null, seq bigint not null, waybill text not null,
  tags text not null, push_id text not null, created_at_ms bigint not null, expires_at_ms bigint not null,
  informed_at_ms bigint, acked_at_ms bigint,
  primary key (outlet_no, id));
create unique index alert_inbox on alert (outlet_no, courier_no, seq);
create index alert_by_push on alert (outlet_no, push_id);
-- state: "open" gathers further alerts until due_at_ms; "due" waits for its deliveries; "composed" has them.
create table push (
  outlet_no bigint not null, id text not null, courier_no bigint not null, kind text not null, device_id text not null,
  state text not null, opened_at_ms bigint not null, due_at_ms bigint not null, content text not null,
  primary key (outlet_no, id));
create unique index push_open on push (outlet_no, courier_no) where state = 'open';
create index push_due on push (due_at_ms, outlet_no) where state in ('open', 'due');
create table device (
  outlet_no bigint not null, id text not null, courier_no bigint not null, install_id text not null, provider text not null,
  address bytea, address_hash text not null, locale text not null, app_version text not null,
  registered_at_ms bigint not null, updated_at_ms bigint not null, retired_at_ms bigint, retired_reason text not null,
  primary key (outlet_no, id));
create unique index device_install on device (outlet_no, courier_no, install_id);
create unique index device_address on device (outlet_no, provider, address_hash) where retired_at_ms is null and address_hash <> '';
create index device_by_address on device (address_hash);
-- next_at_ms of a leased delivery is the end of its lease: one claim finds what is due and what was left behind.
create table delivery (
  outlet_no bigint not null, id text not null, push_id text not null, courier_no bigint not null,
  home_no bigint not null, device_id text not null, provider text not null, state text not null, attempt bigint not null,
  next_at_ms bigint not null, lease_token text not null, expires_at_ms bigint not null, code text not null,
  provider_ref text not null, created_at_ms bigint not null, updated_at_ms bigint not null,
  primary key (outlet_no, id));
create unique index delivery_of_push on delivery (outlet_no, push_id, device_id);
create index delivery_due on delivery (next_at_ms, outlet_no) where state in ('queued', 'leased');
create table receipt (
  outlet_no bigint not null, alert_id text not null, event text not null, device_at_ms bigint not null, received_at_ms bigint not null,
  primary key (outlet_no, alert_id, event));

-- +goose Down
drop table receipt;
drop table delivery;
drop table device;
drop table push;
drop table alert;
drop table inbox_head;
