-- +goose Up
-- What keeps a parcel's data is looked for at every outlet of the company.
create index complaint_of_company on complaint (company_no, waybill);
drop index hold_of_parcel;
create index hold_of_company on hold (company_no, waybill) where released_at_ms is null;
-- What headquarters are told, over all outlets.
create index notice_of_company on notice (company_no, audience, at_ms, id);
-- Why a complaint was rerouted is a person's words: they are sealed in its notes from now on, and in the record of the reroute.
update complaint set routing = (routing::jsonb - 'reason')::text where rerouted = 1 and routing <> '';

-- +goose Down
drop index notice_of_company;
drop index hold_of_company;
create index hold_of_parcel on hold (outlet_no, waybill) where released_at_ms is null;
drop index complaint_of_company;
