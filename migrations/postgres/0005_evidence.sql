-- +goose Up
-- The header and its commitments never change. Salts and values sit apart and can be erased.
create table evidence (
  outlet_no bigint not null, id text not null, kind text not null, source text not null, courier_no bigint, waybill text,
  complaint_id text, occurred_at_ms bigint not null, received_at_ms bigint not null,
  client_id text, client_digest text, commitments text not null,
  primary key (outlet_no, id));
create index evidence_by_time on evidence (outlet_no, occurred_at_ms, id);
create index evidence_by_waybill on evidence (outlet_no, waybill, occurred_at_ms);
create index evidence_by_courier on evidence (outlet_no, courier_no, occurred_at_ms);
create unique index evidence_by_client on evidence (outlet_no, courier_no, client_id) where client_id is not null;
-- +goose StatementBegin
create function evidence_is_append_only() returns trigger language plpgsql as $$
begin raise exception 'evidence is append-only'; end;
$$;
-- +goose StatementEnd
-- Citus refuses triggers on distributed tables; there the grants (insert, select) keep the rule.
create trigger evidence_never_changed before update or delete on evidence for each row execute function evidence_is_append_only();
create trigger evidence_never_truncated before truncate on evidence for each statement execute function evidence_is_append_only();
create table evidence_value (
  outlet_no bigint not null, record_id text not null, body bytea,
  primary key (outlet_no, record_id));

-- +goose Down
drop table evidence_value;
drop table evidence;
drop function evidence_is_append_only;
