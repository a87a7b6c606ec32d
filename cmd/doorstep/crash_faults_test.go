package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/push/sink"
)

// faultyCalls are the calls of a round. Each brings every courier one parcel, so
// that there are sixty alerts, each with a push of its own.
const faultyCalls = 5

// aFifth lets a fifth of all sends fail, some of them after FCM took them.
var aFifth = []sink.Rule{{P: 0.08, Action: sink.Unavailable}, {P: 0.065, Action: sink.Reset}, {P: 0.07, Action: sink.Half}}

// outliveFaults kills a server at random points while a fifth of its pushes
// fail. Every alert reaches FCM or is given up for a reason, stands in its inbox
// once, and what FCM got twice it can tell for the same.
func outliveFaults(t *testing.T, program string, c console) {
	x := newCrash(t, program, c, "0s")
	require.NoError(t, x.phones.SetRules(aFifth...))
	chance := rand.New(rand.NewPCG(1, 2))
	rounds := killRounds(t)
	for round := range rounds {
		first, last := round*faultyCalls, (round+1)*faultyCalls
		point := len(x.phones.Requests()) + 1 + chance.IntN(faultyCalls*crashCouriers)
		posting := make(chan struct{})
		go func() {
			defer close(posting)
			for n := first; n < last; n++ {
				if _, ok := x.post(oneEach(n)); !ok {
					return
				}
			}
		}()
		x.awaitRequest(point)
		x.server.kill()
		<-posting
		x.server = start(t, x.program, x.console, x.args...)
		for n := first; n < last; n++ { // the carrier sends all of it again
			got, ok := x.post(oneEach(n))
			require.True(t, ok, x.server.log)
			for _, r := range got.Results {
				x.alerts[r.Waybill] = *r.AlertID
			}
		}
		x.inboxes(round)
	}
	require.Len(t, x.alerts, rounds*faultyCalls*crashCouriers)
	require.NoError(t, x.phones.SetRules())
	db := x.console.tables()
	defer db.Close()
	x.settle(db)
	x.accountFor(db)
	require.Zero(t, x.server.stop(), x.server.log)
}

// awaitRequest waits for the nth request to FCM, but not for a provider that is
// paused because five in a row have failed: that is a moment like any other.
func (x *crash) awaitRequest(n int) {
	for deadline := time.After(2 * time.Second); len(x.phones.Requests()) < n; {
		select {
		case <-time.After(time.Millisecond):
		case <-deadline:
			return
		}
	}
}

// oneEach is the nth call: a parcel for every courier.
func oneEach(n int) (b api.DispatchBatch) {
	for i := range crashCouriers {
		b.Dispatches = append(b.Dispatches, parcel(fmt.Sprintf("F%d-%02d", n, i), fmt.Sprintf("c%d", i), anne))
	}
	return b
}

// tables opens the database beside the server.
func (c console) tables() *sqlx.DB {
	c.t.Helper()
	driver, source := "sqlite3", "file:"+filepath.Join(c.data, "doorstep.db")+"?_busy_timeout=5000"
	if c.url != "" {
		driver, source = "pgx", c.url
	}
	db, err := sqlx.Open(driver, source)
	require.NoError(c.t, err)
	return db
}

// settle waits until no delivery is open. Waits for a next attempt are cut
// short; what a dead server had leased on PostgreSQL is free after a minute.
func (x *crash) settle(db *sqlx.DB) {
	x.t.Helper()
	require.Eventually(x.t, func() bool {
		open := -1
		_, err := db.Exec(`update delivery set next_at_ms = 0 where state = 'queued' and next_at_ms > 0`)
		if err == nil {
			err = db.Get(&open, `select count(*) from delivery where state in ('queued', 'leased')`)
		}
		return err == nil && open == 0
	}, 2*processWait, 10*processTick, "%s", x.server.log)
}

// accountFor finds every alert at FCM, or the reason why it is not there.
func (x *crash) accountFor(db *sqlx.DB) {
	x.t.Helper()
	// What FCM took: of one alert always the same words under the same tag.
	type banner struct {
		Token   string
		Data    map[string]string
		Android struct {
			CollapseKey  string `json:"collapse_key"`
			Notification struct{ Tag string }
		}
	}
	banners, twice := map[string]banner{}, 0
	received := x.phones.Messages()
	pushes := phonePushes(x.t, received)
	for i, m := range received {
		var b banner
		require.NoError(x.t, json.Unmarshal(m.Message, &b))
		require.NotEmpty(x.t, b.Android.Notification.Tag)
		require.Len(x.t, pushes[i].Alerts, 1)
		id := pushes[i].Alerts[0].ID
		if was, again := banners[id]; again {
			require.Equal(x.t, was, b)
			twice++
		}
		banners[id] = b
	}
	var rows []struct {
		ID, State, Code string
		Attempt         int
	}
	require.NoError(x.t, db.Select(&rows, `select alert.id, delivery.state, delivery.code, delivery.attempt
from alert left join delivery on delivery.outlet_no = alert.outlet_no and delivery.push_id = alert.push_id`))
	require.Len(x.t, rows, len(x.alerts), "one delivery an alert")
	attempts, given := 0, 0
	for _, r := range rows {
		attempts += r.Attempt
		_, arrived := banners[r.ID]
		switch r.State {
		case "sent":
			require.True(x.t, arrived, "alert %s was not sent", r.ID)
		default:
			require.Contains(x.t, []string{"expired", "failed"}, r.State)
			require.NotEmpty(x.t, r.Code)
			given++
		}
	}
	x.t.Logf("%d alerts, %d kills, %d requests to FCM of which %d failed, %d attempts, %d messages of which %d again, %d given up",
		len(rows), killRounds(x.t), len(x.phones.Requests()), x.faults(), attempts, len(received), twice, given)
}

// faults counts the requests that FCM failed.
func (x *crash) faults() (n int) {
	for _, r := range x.phones.Requests() {
		if r.Action != sink.OK {
			n++
		}
	}
	return n
}
