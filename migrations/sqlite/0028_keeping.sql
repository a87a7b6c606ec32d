-- +goose Up
-- What the planner is to believe of keys that begin with an outlet or a company: that many rows have the same one. Left alone it guesses ten, and
-- looks for a parcel by going through its whole outlet. The columns after that are guessed as it does by itself. A test wants a row of every such index.
analyze company;
delete from sqlite_stat1;
insert into sqlite_stat1 (tbl, idx, stat)
select t.name, case i.origin when 'pk' then t.name else i.name end, '100000000' || (
  select group_concat(case when c.seqno = 0 then ' 100000' when i."unique" and c.seqno = (select max(seqno) from pragma_index_info(i.name)) then ' 1' else ' ' || max(10 - c.seqno, 5) end, '')
  from (select seqno from pragma_index_info(i.name) order by seqno) c) || ' noskipscan'
from pragma_table_list t join pragma_index_list(t.name) i
where t.schema = 'main' and t.wr = 1 and (select name from pragma_index_info(i.name) where seqno = 0) in ('outlet_no', 'company_no');
-- What keeps a parcel's data is looked for at every outlet of the company.
create index complaint_of_company on complaint (company_no, waybill);
insert into sqlite_stat1 (tbl, idx, stat) values ('complaint', 'complaint_of_company', '100000000 100000 9 noskipscan');
drop index hold_of_parcel;
create index hold_of_company on hold (company_no, waybill) where released_at_ms is null;
insert into sqlite_stat1 (tbl, idx, stat) values ('hold', 'hold_of_company', '100000000 100000 9 noskipscan');
-- What headquarters are told, over all outlets.
create index notice_of_company on notice (company_no, audience, at_ms, id);
insert into sqlite_stat1 (tbl, idx, stat) values ('notice', 'notice_of_company', '100000000 100000 9 8 7 noskipscan');
-- Why a complaint was rerouted is a person's words: they are sealed in its notes from now on, and in the record of the reroute.
update complaint set routing = json_remove(routing, '$.reason') where rerouted = 1 and routing <> '';
analyze sqlite_schema;

-- +goose Down
drop index notice_of_company;
drop index hold_of_company;
create index hold_of_parcel on hold (outlet_no, waybill) where released_at_ms is null;
drop index complaint_of_company;
delete from sqlite_stat1;
