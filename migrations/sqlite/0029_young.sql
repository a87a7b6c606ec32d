-- +goose Up
-- What the planner is to believe (0028), mended. A company has a thousand times as many rows as an outlet: what is asked of some outlets is not looked
-- for through their company.
update sqlite_stat1 set stat = '100000000 100000000' || substr(stat, length('100000000 100000') + 1)
where exists (select 1 from pragma_index_list(tbl) i where case i.origin when 'pk' then tbl else i.name end = idx
  and (select name from pragma_index_info(i.name) where seqno = 0) = 'company_no');
-- An audience is no key: a company has millions of notices for each, and an outlet's are not looked for among them.
update sqlite_stat1 set stat = '100000000 100000000 50000000 2 1 noskipscan' where idx = 'notice_of_company';
-- Of an outlet's hundred thousand complaints a hundred wait for an answer.
update sqlite_stat1 set stat = '100000 100 2 1 noskipscan' where idx = 'complaint_queue';
-- How complaints of part of a day stand is counted from the index alone: a company's day may have a hundred thousand.
drop index complaint_by_time;
create index complaint_by_time on complaint (outlet_no, filed_at_ms, id, status, handled_at_ms, paused_ms);
insert into sqlite_stat1 (tbl, idx, stat) values ('complaint', 'complaint_by_time', '100000000 100000 9 8 7 6 5 noskipscan');
analyze sqlite_schema;

-- +goose Down
drop index complaint_by_time;
create index complaint_by_time on complaint (outlet_no, filed_at_ms, id);
insert into sqlite_stat1 (tbl, idx, stat) values ('complaint', 'complaint_by_time', '100000000 100000 9 8 noskipscan');
update sqlite_stat1 set stat = '100000000 100000 9 8 noskipscan' where idx = 'complaint_queue';
update sqlite_stat1 set stat = '100000000 100000000 9 8 7 noskipscan' where idx = 'notice_of_company';
update sqlite_stat1 set stat = '100000000 100000' || substr(stat, length('100000000 100000000') + 1)
where exists (select 1 from pragma_index_list(tbl) i where case i.origin when 'pk' then tbl else i.name end = idx
  and (select name from pragma_index_info(i.name) where seqno = 0) = 'company_no');
analyze sqlite_schema;
