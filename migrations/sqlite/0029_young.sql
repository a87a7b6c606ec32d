-- +goose Up
-- How complaints of part of a day stand is counted from the index alone: a company's day may have a hundred thousand.
drop index complaint_by_time;
create index complaint_by_time on complaint (outlet_no, filed_at_ms, id, status, handled_at_ms, paused_ms);
insert into sqlite_stat1 (tbl, idx, stat) values ('complaint', 'complaint_by_time', '100000000 100000 9 8 7 6 5 noskipscan');
-- An audience is no key: a company has millions of notices for each, and an outlet's are not looked for among them.
update sqlite_stat1 set stat = '100000000 100000000 50000000 2 1 noskipscan' where idx = 'notice_of_company';
analyze sqlite_schema;

-- +goose Down
update sqlite_stat1 set stat = '100000000 100000000 9 8 7 noskipscan' where idx = 'notice_of_company';
drop index complaint_by_time;
create index complaint_by_time on complaint (outlet_no, filed_at_ms, id);
insert into sqlite_stat1 (tbl, idx, stat) values ('complaint', 'complaint_by_time', '100000000 100000 9 8 noskipscan');
analyze sqlite_schema;
