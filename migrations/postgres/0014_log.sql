-- +goose Up
-- What a transaction has written and the log does not have yet: ids of records, one a line, and the hashes of their leaves, one
-- behind the other. Without hashes they are of records from before the log, whose leaves their headers give.
create table seal_queue (
  outlet_no bigint not null, id text not null, at_ms bigint not null, record_ids text not null, hashes bytea,
  primary key (outlet_no, id));
insert into seal_queue (outlet_no, id, at_ms, record_ids) select outlet_no, id, received_at_ms, id from evidence;
-- One log an outlet, and one under each company's own number over the heads of its outlets' logs. Whoever grows a log holds this
-- row. subtrees are the hashes of its whole subtrees, the largest first.
create table log_head (outlet_no bigint not null, size bigint not null, subtrees bytea not null, primary key (outlet_no));
-- text is that of a leaf over an outlet's head; a record's leaf is made from its header.
create table log_leaf (
  outlet_no bigint not null, seq bigint not null, record_id text not null, hash bytea not null, text text,
  primary key (outlet_no, seq));
create unique index log_leaf_of_record on log_leaf (outlet_no, record_id);
-- Whole tiles: 256 hashes of a level, and the one over them, which is a hash of the level above.
create table log_tile (
  outlet_no bigint not null, level bigint not null, n bigint not null, root bytea not null, hashes bytea not null,
  primary key (outlet_no, level, n));
create table log_checkpoint (
  outlet_no bigint not null, size bigint not null, root bytea not null, note text not null, created_at_ms bigint not null,
  primary key (outlet_no, size));
-- The newest head of each outlet's log in its company's.
create table log_covered (
  outlet_no bigint not null, covered_no bigint not null, size bigint not null, seq bigint not null,
  primary key (outlet_no, covered_no));
-- +goose StatementBegin
create function log_is_append_only() returns trigger language plpgsql as $$
begin raise exception 'the log is append-only'; end;
$$;
-- +goose StatementEnd
-- Citus refuses triggers on distributed tables; there the grants (insert, select) keep the rule.
create trigger log_leaf_never_changed before update or delete on log_leaf for each row execute function log_is_append_only();
create trigger log_leaf_never_truncated before truncate on log_leaf for each statement execute function log_is_append_only();
create trigger log_tile_never_changed before update or delete on log_tile for each row execute function log_is_append_only();
create trigger log_tile_never_truncated before truncate on log_tile for each statement execute function log_is_append_only();
create trigger log_checkpoint_never_changed before update or delete on log_checkpoint for each row execute function log_is_append_only();
create trigger log_checkpoint_never_truncated before truncate on log_checkpoint for each statement execute function log_is_append_only();

-- +goose Down
drop table log_covered;
drop table log_checkpoint;
drop table log_tile;
drop table log_leaf;
drop table log_head;
drop table seal_queue;
drop function log_is_append_only;
