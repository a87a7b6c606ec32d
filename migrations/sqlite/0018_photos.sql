-- +goose Up
-- Which records declare which photo. hash is keyed; '' once it is erased from the record.
create table photo_record (
  outlet_no integer not null, record_id text not null, hash text not null, erased_at_ms integer,
  primary key (outlet_no, record_id)) without rowid;
create index photo_record_by_hash on photo_record (outlet_no, hash);
-- Photos whose bytes have come. original and shown are blobs.
create table photo (
  outlet_no integer not null, hash text not null, original text not null, shown text not null, arrived_at_ms integer not null,
  primary key (outlet_no, hash)) without rowid;
-- A blob's row is there before the blob and goes after it. sweep_at_ms: when to delete the blob; null while a photo holds it.
create table photo_blob (
  outlet_no integer not null, id text not null, sweep_at_ms integer,
  primary key (outlet_no, id)) without rowid;
create index photo_blob_by_sweep on photo_blob (outlet_no, sweep_at_ms) where sweep_at_ms is not null;
create index photo_blob_due on photo_blob (sweep_at_ms, outlet_no) where sweep_at_ms is not null;

-- +goose Down
drop table photo_blob;
drop table photo;
drop table photo_record;
