-- +goose Up
-- Records of pushes name no waybill: they need no place among those that do.
drop index evidence_by_waybill;
create index evidence_by_waybill on evidence (outlet_no, waybill, occurred_at_ms) where waybill is not null;
-- The provider's name for a message is a field of the push's record, where it can be proven.
alter table delivery drop column provider_ref;

-- +goose Down
alter table delivery add column provider_ref text not null default '';
drop index evidence_by_waybill;
create index evidence_by_waybill on evidence (outlet_no, waybill, occurred_at_ms);
