-- +goose Up
-- sign: what a piece of evidence is a sign of; person: a keyed hash of whose verdict it is.
alter table tag_evidence add column sign text not null default 'complaint';
alter table tag_evidence add column waybill text not null default '';
alter table tag_evidence add column person text not null default '';
-- What couriers and outlets said of a tag: one verdict a person, parcel and tag. counted: it is among the verdicts of tag_learning.
create table tag_verdict (
  consumer_id text not null, tag text not null, person text not null, waybill text not null,
  verdict text not null, counted bigint not null, at_ms bigint not null,
  primary key (consumer_id, tag, person, waybill));
-- How well a company's learning of a tag does: a running count since since_ms.
create table tag_learning (
  company_no bigint not null, tag text not null, verdicts bigint not null, wrong bigint not null, since_ms bigint not null, paused_at_ms bigint,
  primary key (company_no, tag));
-- The dispatch's look at wishes asks here, and nearly always finds nothing.
create index tag_learning_paused on tag_learning (company_no, tag) where paused_at_ms is not null;

-- +goose Down
drop table tag_learning;
drop table tag_verdict;
delete from tag_evidence where sign <> 'complaint';
alter table tag_evidence drop column person;
alter table tag_evidence drop column waybill;
alter table tag_evidence drop column sign;
