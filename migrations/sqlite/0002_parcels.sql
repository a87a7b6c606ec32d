-- +goose Up
create table parcel (
  outlet_no integer not null, waybill text not null, company_no integer not null,
  consumer_id text not null, address_id text not null, consignee blob,
  courier_no integer, dispatched_at_ms integer, updated_at_ms integer not null,
  primary key (outlet_no, waybill)) without rowid;
create index parcel_by_waybill on parcel (company_no, waybill);
create table scan (
  outlet_no integer not null, waybill text not null, at_ms integer not null, code text not null, received_at_ms integer not null,
  primary key (outlet_no, waybill, at_ms, code)) without rowid;
-- The key is the natural key of a dispatch and, in this order, a courier's run of a day.
create table dispatch (
  outlet_no integer not null, courier_no integer not null, day integer not null, waybill text not null,
  consumer_id text not null, alert_id text, dispatched_at_ms integer not null, received_at_ms integer not null,
  primary key (outlet_no, courier_no, day, waybill)) without rowid;
create index dispatch_by_waybill on dispatch (outlet_no, waybill);

-- +goose Down
drop table dispatch;
drop table scan;
drop table parcel;
