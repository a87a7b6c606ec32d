package store_test

import (
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep/store/storetest"
)

// SQLite's planner takes an outlet for a handful of rows unless it is told
// otherwise, and then looks for one parcel by going through its outlet's.
func TestThePlannerKnowsThatAnOutletHasManyRows(t *testing.T) {
	url := storetest.SQLite(t)
	storetest.Open(t, url, storetest.Vault(t), storetest.NewClock(), 0)
	db, err := sqlx.Open("sqlite3", url)
	require.NoError(t, err)
	defer db.Close()

	var untold []string
	require.NoError(t, db.Select(&untold, `select i.name from pragma_table_list t join pragma_index_list(t.name) i
where t.schema = 'main' and t.wr = 1 and (select name from pragma_index_info(i.name) where seqno = 0) in ('outlet_no', 'company_no')
and not exists (select 1 from sqlite_stat1 s where s.tbl = t.name and s.idx = case i.origin when 'pk' then t.name else i.name end)`))
	require.Empty(t, untold, "a migration that makes such an index puts a row for it into sqlite_stat1: see 0028")

	for query, index := range map[string]string{
		`select consumer_id from dispatch where outlet_no = 1 and waybill = 'SF1'`:                               "dispatch_by_waybill",
		`select body from complaint where outlet_no = 1 and waybill = 'SF1'`:                                     "complaint_by_parcel",
		`select source from evidence where outlet_no = 1 and waybill = 'SF1'`:                                    "evidence_by_waybill",
		`select body from complaint where company_no = 1 and waybill = 'SF1'`:                                    "complaint_of_company",
		`select tags from alert where outlet_no = 1 and push_id = 'p'`:                                           "alert_by_push",
		`select clock from notice where company_no = 1 and audience = 'hq' order by at_ms desc, id desc limit 9`: "notice_of_company",
		`select body from complaint where outlet_no in (select value from json_each('[1, 2]')) and company_no = 1
and status in ('filed', 'in_progress', 'disputed', 'reopened') order by promise_due_at_ms, id limit 9`: "complaint_queue",
		`select count(*), sum(paused_ms) from complaint where outlet_no in (select value from json_each('[1, 2]')) and filed_at_ms > 1 and filed_at_ms < 2
and status <> 'moved' and handled_at_ms is not null`: "COVERING INDEX complaint_by_time",
	} {
		plan := planOf(t, db, query)
		require.Contains(t, plan[0].Detail, " "+index+" ", query)
		for _, step := range plan[1:] { // whatever else there is goes through no table
			require.NotRegexp(t, "^(SEARCH|SCAN) (complaint|dispatch|evidence|alert|notice)", step.Detail, query)
		}
	}
}

type step struct {
	ID, Parent, Notused int
	Detail              string
}

func planOf(t *testing.T, db *sqlx.DB, query string) (plan []step) {
	t.Helper()
	require.NoError(t, db.Select(&plan, `explain query plan `+query))
	return plan
}

// However many rows an outlet has, a page of a list reads no more than it shows.
func TestAnOutletsListsAreReadInTheirOrder(t *testing.T) {
	url := storetest.SQLite(t)
	storetest.Open(t, url, storetest.Vault(t), storetest.NewClock(), 0)
	db, err := sqlx.Open("sqlite3", url)
	require.NoError(t, err)
	defer db.Close()

	const from = `select k.id, o.name, c.id from complaint k join outlet o on o.no = k.outlet_no left join courier c on c.no = k.courier_no
where k.status <> 'moved' and k.outlet_no = 1 and k.company_no = 1 and o.id = 'west'`
	for _, query := range []string{
		from + ` and k.status in ('filed', 'in_progress', 'disputed', 'reopened') order by k.promise_due_at_ms, k.id limit 9`,
		from + ` order by k.filed_at_ms desc, k.id desc limit 9`,
		`select e.id, v.body from evidence e left join evidence_value v on v.outlet_no = e.outlet_no and v.record_id = e.id
where e.outlet_no = 1 and e.kind <> 'access' order by e.occurred_at_ms desc, e.id desc limit 9`,
		`select e.id from evidence e where e.outlet_no = 1 and e.kind = 'access' order by e.received_at_ms desc, e.id desc limit 9`,
		`select s.id from sign_for s where s.outlet_no = 1 and s.ground = 'override' order by s.received_at_ms desc, s.id desc limit 9`,
		`select n.id from notice n where n.company_no = 1 and n.outlet_no = 1 and n.audience in ('courier', 'manager') order by n.at_ms desc, n.id desc limit 9`,
	} {
		for _, step := range planOf(t, db, query) {
			require.NotContains(t, step.Detail, "TEMP B-TREE", query)
			require.NotRegexp(t, "^SCAN", step.Detail, query)
		}
	}
}
