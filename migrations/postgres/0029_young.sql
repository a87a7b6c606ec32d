-- +goose Up
-- How complaints of part of a day stand is counted from the index alone: a company's day may have a hundred thousand.
drop index complaint_by_time;
create index complaint_by_time on complaint (outlet_no, filed_at_ms, id) include (status, handled_at_ms, paused_ms);

-- +goose Down
drop index complaint_by_time;
create index complaint_by_time on complaint (outlet_no, filed_at_ms, id);
