package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"

	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/privacy"
	"doorstep/store"
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
		var plan []struct {
			ID, Parent, Notused int
			Detail              string
		}
		require.NoError(t, db.Select(&plan, `explain query plan `+query))
		require.Contains(t, plan[0].Detail, " "+index+" ", query)
		for _, step := range plan[1:] { // whatever else there is goes through no table
			require.NotRegexp(t, "^(SEARCH|SCAN) (complaint|dispatch|evidence|alert|notice)", step.Detail, query)
		}
	}
}

// However many rows an outlet has, a page of a list reads no more than it shows:
// the engine finds them in their order and sorts nothing.
func TestAnOutletsListsAreReadInTheirOrder(t *testing.T) {
	url, clock := storetest.SQLite(t), storetest.NewClock()
	db := storetest.Open(t, url, storetest.Vault(t), clock, 0)
	h := newHouse(t, db, clock)
	h.dispatch(order("SF1", "li", wang), parcels.Order{Waybill: "SF2", OutletID: "east", CourierID: "kim", Consignee: parcels.ConsigneeOrder{Phone: zhao}})
	explained := explain(t, db, url)
	ctx, manager, chief := t.Context(), h.manager("west"), h.hq()
	for name, list := range map[string]func() error{
		"queue": func() error {
			_, err := db.Complaints(ctx, manager, complaints.Query{ByDue: true, Limit: 9})
			return err
		},
		"next page of the queue": func() error {
			_, err := db.Complaints(ctx, manager, complaints.Query{ByDue: true, AfterMS: 1, AfterID: "a", Limit: 9})
			return err
		},
		"complaints": func() error {
			_, err := db.Complaints(ctx, manager, complaints.Query{Limit: 9})
			return err
		},
		"one outlet's queue, for headquarters": func() error {
			_, err := db.Complaints(ctx, chief, complaints.Query{ByDue: true, OutletID: "west", Limit: 9})
			return err
		},
		"records": func() error {
			_, err := db.Evidence(ctx, manager, evidence.Query{Limit: 9})
			return err
		},
		"accesses": func() error {
			_, err := db.Accesses(ctx, manager, privacy.AccessQuery{Limit: 9})
			return err
		},
		"overrides": func() error {
			_, err := db.Overrides(ctx, manager, parcels.OverrideQuery{Limit: 9})
			return err
		},
		"notices": func() error {
			_, err := db.Notices(ctx, manager, complaints.NoticeQuery{Limit: 9})
			return err
		},
		"notices of the company": func() error {
			_, err := db.Notices(ctx, chief, complaints.NoticeQuery{Limit: 9})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			explained.steps = nil
			require.NoError(t, list())
			require.NotEmpty(t, explained.steps)
			for _, step := range explained.steps {
				require.NotContains(t, step, "TEMP B-TREE")
				require.False(t, strings.HasPrefix(step, "SCAN ") && !strings.HasPrefix(step, "SCAN json_each"), step)
			}
		})
	}
}

// explainer asks SQLite for the plan of each query that passes, with what it is
// asked with, before it passes.
type explainer struct {
	sqlite3.SQLiteDriver
	url   string
	steps []string
}

// explain has db's reads pass an explainer.
func explain(t *testing.T, db *store.DB, url string) *explainer {
	t.Helper()
	e := &explainer{url: url}
	pool := sql.OpenDB(e)
	pool.SetMaxOpenConns(1)
	require.NoError(t, db.ReadThrough(sqlx.NewDb(pool, "sqlite3")))
	return e
}

// Connect and Driver make the explainer a driver.Connector.
func (e *explainer) Connect(context.Context) (driver.Conn, error) {
	c, err := e.Open(e.url)
	if err != nil {
		return nil, err
	}
	return &explainedConn{c.(*sqlite3.SQLiteConn), e}, nil
}

func (e *explainer) Driver() driver.Driver { return e }

type explainedConn struct {
	*sqlite3.SQLiteConn
	by *explainer
}

// QueryContext makes the connection a driver.QueryerContext.
func (c *explainedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.SQLiteConn.QueryContext(ctx, "explain query plan "+query, slices.Clone(args))
	if err != nil {
		return nil, err
	}
	step := make([]driver.Value, len(rows.Columns()))
	for rows.Next(step) == nil {
		c.by.steps = append(c.by.steps, fmt.Sprint(step[len(step)-1]))
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	return c.SQLiteConn.QueryContext(ctx, query, args)
}
