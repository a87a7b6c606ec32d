-- +goose Up
create table complaint (
  outlet_no bigint not null, id text not null, company_no bigint not null, waybill text not null, consumer_id text not null,
  courier_no bigint, category text not null, status text not null, body bytea, learned text not null, channel text not null,
  filed_at_ms bigint not null, received_at_ms bigint not null, promise_due_at_ms bigint not null, legal_due_at_ms bigint not null,
  repeat_of text not null,
  primary key (outlet_no, id));
create index complaint_by_parcel on complaint (outlet_no, waybill);
create index complaint_by_consumer on complaint (consumer_id, filed_at_ms);
create index complaint_by_time on complaint (outlet_no, filed_at_ms, id);
create unique index complaint_open on complaint (outlet_no, waybill, category) where status in ('filed', 'in_progress', 'answered', 'disputed', 'reopened');
create table complaint_message (
  outlet_no bigint not null, complaint_id text not null, id text not null, author text not null, body bytea, at_ms bigint not null,
  primary key (outlet_no, complaint_id, id));

-- +goose Down
drop table complaint_message;
drop table complaint;
