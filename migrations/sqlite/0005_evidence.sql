-- +goose Up
-- The header and its commitments never change. Salts and values sit apart and can be erased.
create table evidence (
  outlet_no integer not null, id text not null, kind text not null, source text not null, courier_no integer, waybill text,
  complaint_id text, occurred_at_ms integer not null, received_at_ms integer not null,
  client_id text, client_digest text, commitments text not null,
  primary key (outlet_no, id)) without rowid;
create index evidence_by_time on evidence (outlet_no, occurred_at_ms, id);
create index evidence_by_waybill on evidence (outlet_no, waybill, occurred_at_ms);
create index evidence_by_courier on evidence (outlet_no, courier_no, occurred_at_ms);
create unique index evidence_by_client on evidence (outlet_no, courier_no, client_id) where client_id is not null;
-- +goose StatementBegin
create trigger evidence_never_updated before update on evidence
begin select raise(abort, 'evidence is append-only'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger evidence_never_deleted before delete on evidence
begin select raise(abort, 'evidence is append-only'); end;
-- +goose StatementEnd
create table evidence_value (
  outlet_no integer not null, record_id text not null, body blob,
  primary key (outlet_no, record_id)) without rowid;

-- +goose Down
drop table evidence_value;
drop table evidence;
