-- +goose Up
create table parcel (
  outlet_no bigint not null, waybill text not null, company_no bigint not null,
  consumer_id text not null, address_id text not null, consignee bytea,
  courier_no bigint, dispatched_at_ms bigint, updated_at_ms bigint not null,
  primary key (outlet_no, waybill));
create index parcel_by_waybill on parcel (company_no, waybill);
create table scan (
  outlet_no bigint not null, waybill text not null, at_ms bigint not null, code text not null, received_at_ms bigint not null,
  primary key (outlet_no, waybill, at_ms, code));
-- The key is the natural key of a dispatch and, in this order, a courier's run of a day.
create table dispatch (
  outlet_no bigint not null, courier_no bigint not null, day bigint not null, waybill text not null,
  consumer_id text not null, alert_id text, dispatched_at_ms bigint not null, received_at_ms bigint not null,
  primary key (outlet_no, courier_no, day, waybill));
create index dispatch_by_waybill on dispatch (outlet_no, waybill);

-- +goose Down
drop table dispatch;
drop table scan;
drop table parcel;
