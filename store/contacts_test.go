package store_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/evidence"
	"doorstep/store"
	"doorstep/store/storetest"
	"doorstep/telephony"
)

func (h *house) policy() telephony.Policy {
	h.t.Helper()
	policy, err := telephony.LoadPolicy()
	require.NoError(h.t, err)
	return policy
}

func (h *house) sorter() *telephony.Sorter {
	return telephony.NewSorter(telephony.Sorter{Store: h.db, Policy: h.policy(), Now: h.clock.Now, NewID: doorstep.MakeID, Log: slog.New(slog.DiscardHandler)})
}

// bring has the exchange take a body of the carrier's own systems.
func (h *house) bring(p telephony.Provider, body string) []telephony.Verdict {
	h.t.Helper()
	exchange := telephony.Exchange{Store: h.db, Now: h.clock.Now}
	verdicts, _, err := exchange.Receive(context.Background(), telephony.Vouched(h.integrator), p, telephony.Delivery{Body: []byte(body), Header: http.Header{}})
	require.NoError(h.t, err)
	return verdicts
}

// report is a generic body of one event.
func report(id, call, waybill, state string, at time.Time) string {
	return fmt.Sprintf(`{"events":[{"event_id":%q,"call_id":%q,"kind":"call","waybill":%q,"state":%q,"at":%q}]}`, id, call, waybill, state, at.Format(time.RFC3339))
}

// reported has everything happen once that can happen with providers.
func (h *house) reported() {
	h.t.Helper()
	ctx := context.Background()
	must := func(err error) {
		h.t.Helper()
		require.NoError(h.t, err)
	}
	accounts := telephony.Accounts{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID, Random: rand.Reader}
	_, err := accounts.Put(ctx, h.integrator, telephony.AlibabaPNP, telephony.AccountInput{Numbers: []string{"+8617000000001"}})
	must(err)
	callback, secret, err := accounts.AddCallback(ctx, h.integrator, telephony.AlibabaPNP)
	must(err)
	_, err = accounts.Caller(ctx, telephony.AlibabaPNP, secret)
	must(err)
	must(accounts.RemoveCallback(ctx, h.integrator, telephony.AlibabaPNP, callback.ID))

	dialler := telephony.Dialler{Store: h.db, Policy: h.policy(), Now: h.clock.Now, NewID: doorstep.MakeID}
	_, err = dialler.Dial(ctx, h.courier("li"), "SF2")
	must(err)
	_, _, err = dialler.Assign(ctx, h.integrator, "SF2", telephony.Generic, "+8617000000002", h.clock.Now().Add(time.Hour).Format(time.RFC3339))
	must(err)
	dialled, err := dialler.Dial(ctx, h.courier("li"), "SF2")
	must(err)

	now := h.clock.Now()
	h.bring(telephony.Generic, report("e1", "c1", "SF2", "ringing", now))
	h.bring(telephony.Generic, report("e1", "c1", "SF2", "busy", now))
	h.bring(telephony.AlibabaPNP, fmt.Sprintf(`[{"call_id":"a1","call_time":%q,"secret_no":"17000000001"},
{"call_id":"a2","call_time":%q,"out_id":%q},{}]`, now.Add(8*time.Hour).Format(time.DateTime), now.Add(8*time.Hour).Format(time.DateTime), dialled.ID))
	_, _, err = h.sorter().Pass(ctx)
	must(err)
	exchange := telephony.Exchange{Store: h.db, Now: h.clock.Now}
	_, err = exchange.Heartbeat(ctx, h.integrator, telephony.Twilio)
	must(err)
	must(exchange.Declare(ctx, h.integrator, telephony.Generic, now.Format(time.DateOnly), 1))
	// A record that could be read at the door and no more is set aside.
	done, err := h.db.FinishRecords(ctx, telephony.Source{Company: h.integrator.Company, Provider: telephony.Generic}, telephony.Sorted{}, now)
	must(err)
	require.True(h.t, done)

	book := telephony.Book{Store: h.db, Policy: h.policy(), Now: h.clock.Now}
	history, err := book.History(ctx, h.manager("west"), "SF2")
	must(err)
	require.Len(h.t, history.Contacts, 3)
	for _, who := range []doorstep.Actor{h.integrator, h.manager("west")} {
		_, err = book.Faults(ctx, who, telephony.FaultPage{Limit: 10})
		must(err)
	}
	_, err = book.Course(ctx, h.integrator.Company, now.Add(-time.Hour), now)
	must(err)
}

// slowNode hands on what a sorter asks, and has another node be faster once it has
// looked.
type slowNode struct {
	*store.DB
	meanwhile func()
}

func (s slowNode) LookUp(ctx context.Context, company doorstep.CompanyNo, l telephony.Lookup) (telephony.Found, error) {
	s.meanwhile()
	return s.DB.LookUp(ctx, company, l)
}

func TestOfTwoNodesThatReadTheSameRecordsOneWritesThem(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock := storetest.NewClock()
		h := newHouse(t, storetest.Open(t, url, storetest.Vault(t), clock, 0), clock)
		h.dispatch(order("SF1", "li", wang))
		h.bring(telephony.Generic, report("e1", "c1", "SF1", "ringing", clock.Now()))
		slow := telephony.NewSorter(telephony.Sorter{
			Store: slowNode{h.db, func() {
				n, _, err := h.sorter().Pass(t.Context())
				require.NoError(t, err)
				require.Equal(t, 1, n)
			}},
			Policy: h.policy(), Now: clock.Now, NewID: doorstep.MakeID, Log: slog.New(slog.DiscardHandler),
		})
		n, held, err := slow.Pass(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		require.True(t, held)
		facts, err := h.db.Evidence(t.Context(), h.manager("west"), evidence.Query{Kind: evidence.Call, Limit: 10})
		require.NoError(t, err)
		require.Len(t, facts, 1)
	})
}
