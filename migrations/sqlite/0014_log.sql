-- +goose Up
-- What a transaction has written and the log does not have yet: ids of records, one a line, and the hashes of their leaves, one
-- behind the other. Without hashes they are of records from before the log, whose leaves their headers give.
create table seal_queue (
  outlet_no integer not null, id text not null, at_ms integer not null, record_ids text not null, hashes blob,
  primary key (outlet_no, id)) without rowid;
insert into seal_queue (outlet_no, id, at_ms, record_ids) select outlet_no, id, received_at_ms, id from evidence;
-- One log an outlet, and one under each company's own number over the heads of its outlets' logs. Whoever grows a log holds this
-- row. subtrees are the hashes of its whole subtrees, the largest first.
create table log_head (outlet_no integer not null, size integer not null, subtrees blob not null, primary key (outlet_no)) without rowid;
-- text is that of a leaf over an outlet's head; a record's leaf is made from its header.
create table log_leaf (
  outlet_no integer not null, seq integer not null, record_id text not null, hash blob not null, text text,
  primary key (outlet_no, seq)) without rowid;
create unique index log_leaf_of_record on log_leaf (outlet_no, record_id);
-- Whole tiles: 256 hashes of a level, and the one over them, which is a hash of the level above.
create table log_tile (
  outlet_no integer not null, level integer not null, n integer not null, root blob not null, hashes blob not null,
  primary key (outlet_no, level, n)) without rowid;
create table log_checkpoint (
  outlet_no integer not null, size integer not null, root blob not null, note text not null, created_at_ms integer not null,
  primary key (outlet_no, size)) without rowid;
-- The newest head of each outlet's log in its company's.
create table log_covered (
  outlet_no integer not null, covered_no integer not null, size integer not null, seq integer not null,
  primary key (outlet_no, covered_no)) without rowid;
-- +goose StatementBegin
create trigger log_leaf_never_updated before update on log_leaf
begin select raise(abort, 'the log is append-only'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger log_leaf_never_deleted before delete on log_leaf
begin select raise(abort, 'the log is append-only'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger log_tile_never_updated before update on log_tile
begin select raise(abort, 'the log is append-only'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger log_tile_never_deleted before delete on log_tile
begin select raise(abort, 'the log is append-only'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger log_checkpoint_never_updated before update on log_checkpoint
begin select raise(abort, 'the log is append-only'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger log_checkpoint_never_deleted before delete on log_checkpoint
begin select raise(abort, 'the log is append-only'); end;
-- +goose StatementEnd

-- +goose Down
drop table log_covered;
drop table log_checkpoint;
drop table log_tile;
drop table log_leaf;
drop table log_head;
drop table seal_queue;
