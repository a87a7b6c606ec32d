package store_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep"
	"doorstep/feed"
	"doorstep/store"
	"doorstep/store/storetest"
	"doorstep/webhooks"
)

// arrival is what a receiver read of a message.
type arrival struct {
	ID   string `json:"-"`
	Type feed.Type
	Data struct {
		ID string
		N  int
	}
}

// receiver stands for every carrier's systems. It answers as answer says; nil is
// always well.
type receiver struct {
	mu      sync.Mutex
	arrived map[string][]arrival // by URL, in order
	answer  func(url string, a arrival) webhooks.Result
}

func (*receiver) Check(context.Context, string) error { return nil }

func (r *receiver) Post(_ context.Context, m webhooks.Message) webhooks.Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := arrival{ID: m.ID}
	if err := json.Unmarshal(m.Body, &a); err != nil {
		panic(err)
	}
	if r.arrived == nil {
		r.arrived = map[string][]arrival{}
	}
	r.arrived[m.URL] = append(r.arrived[m.URL], a)
	if r.answer == nil {
		return webhooks.Result{Status: 200}
	}
	return r.answer(m.URL, a)
}

func answering(status int) func(string, arrival) webhooks.Result {
	return func(string, arrival) webhooks.Result { return result(status) }
}

func result(status int) webhooks.Result {
	if status == 200 {
		return webhooks.Result{Status: status}
	}
	return webhooks.Result{Status: status, Fault: webhooks.BadStatus}
}

// of is what arrived at a URL, as "object 1".
func (r *receiver) of(url string) (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.arrived[url] {
		list = append(list, fmt.Sprint(a.Data.ID, " ", a.Data.N))
	}
	return list
}

// unwatched is a webhooks.Observer.
type unwatched struct{}

func (unwatched) WebhookAttempted(webhooks.Result) {}
func (unwatched) WebhookDisabled(webhooks.Reason)  {}

func (h *house) hooks(r webhooks.Receiver) *webhooks.Registry {
	return &webhooks.Registry{Store: h.db, Receiver: r, Now: h.clock.Now, NewID: doorstep.MakeID, Random: rand.Reader}
}

func (h *house) hookSender(r webhooks.Receiver) *webhooks.Sender {
	return webhooks.NewSender(webhooks.Config{
		Queue: h.db, Receiver: r, Observer: unwatched{}, Now: h.clock.Now, Draw: func() float64 { return 0.5 }, Log: slog.New(slog.DiscardHandler),
	})
}

// hook registers a webhook for all events.
func (h *house) hook(r webhooks.Receiver, url string) webhooks.Webhook {
	h.t.Helper()
	w, err := h.hooks(r).Create(context.Background(), h.integrator, webhooks.Settings{URL: url})
	require.NoError(h.t, err)
	return w
}

// happen commits event n about an object, and numbers it.
func (h *house) happen(object string, n int) {
	h.t.Helper()
	outlet := doorstep.OutletNo(h.integrator.Company + 1000)
	require.NoError(h.t, h.db.InTx(context.Background(), func(tx *store.Tx) error {
		return h.db.Publish(tx, outlet, h.integrator.Company, fmt.Sprintf(`{"id":%q,"n":%d}`, object, n))
	}))
	_, _, err := relayOf(h.db, h.clock).Pass(context.Background())
	require.NoError(h.t, err)
}

func (h *house) deliver(r webhooks.Receiver) {
	h.t.Helper()
	require.NoError(h.t, h.hookSender(r).Pass(context.Background()))
}

// deliveries are a webhook's, the oldest first.
func (h *house) deliveries(w webhooks.Webhook) (list []webhooks.Delivery) {
	h.t.Helper()
	page, err := h.db.Deliveries(context.Background(), w.Company, w.ID, "", 1<<62, 1000)
	require.NoError(h.t, err)
	for i := len(page) - 1; i >= 0; i-- {
		list = append(list, page[i])
	}
	return list
}

func states(list []webhooks.Delivery) (states []webhooks.State) {
	for _, d := range list {
		states = append(states, d.State)
	}
	return states
}

// Invariant: whatever a receiver answers, whoever dies between the answer and its
// record, however many nodes there are and wherever replays go back to: every
// event arrives, and for each object the newest arrives last. Without replays no
// older one arrives behind a newer.
func TestEveryEventArrivesAndTheNewestOfEachObjectLast(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock, vault := storetest.NewClock(), storetest.Vault(t)
		nodes := []*house{newHouse(t, storetest.Open(t, url, vault, clock, 0), clock)}
		if url[0] == 'p' {
			nodes = append(nodes, newHouse(t, storetest.Open(t, url, vault, clock, 0), clock))
		}
		one, companies := nodes[0], 0
		rapid.Check(t, func(rt *rapid.T) {
			if companies++; companies > 25 && !t.Failed() {
				return // a database is slow, and a failure is found early
			}
			company, err := one.db.Company(context.Background(), fmt.Sprint("company ", companies))
			require.NoError(rt, err)
			for _, n := range nodes {
				n.integrator.Company = company
			}
			// Fewer faults than a delivery has attempts: nothing is given up.
			faults := rapid.SliceOfN(rapid.SampledFrom([]string{"ok", "500", "timeout", "crash"}), 0, 9).Draw(rt, "faults")
			r := &receiver{}
			var crash func() // of the pass under way
			r.answer = func(string, arrival) webhooks.Result {
				next := "ok"
				if len(faults) > 0 {
					next, faults = faults[0], faults[1:]
				}
				switch next {
				case "500":
					return result(500)
				case "timeout":
					return webhooks.Result{Fault: webhooks.TimedOut}
				case "crash":
					crash()
				}
				return result(200)
			}
			pass := func(among []*house) {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				crash = cancel
				var passes sync.WaitGroup
				for _, n := range among {
					passes.Go(func() { _ = n.hookSender(r).Pass(ctx) }) // fails if it is cut off
				}
				passes.Wait()
			}
			w := one.hook(r, "https://carrier.example")
			happened, total, replayed := map[string]int{}, 0, false
			rt.Repeat(map[string]func(*rapid.T){
				"event": func(t *rapid.T) {
					object := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "object")
					happened[object]++
					total++
					one.happen(object, happened[object])
				},
				"pass":   func(t *rapid.T) { pass([]*house{rapid.SampledFrom(nodes).Draw(t, "node")}) },
				"passes": func(*rapid.T) { pass(nodes) },
				"wait": func(t *rapid.T) {
					clock.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second)
				},
				"replay": func(t *rapid.T) {
					now, err := one.db.Webhook(context.Background(), company, w.ID)
					require.NoError(t, err)
					_, err = one.hooks(r).Replay(context.Background(), one.integrator, w.ID, rapid.Int64Range(0, now.After).Draw(t, "after"))
					require.NoError(t, err)
					replayed = true
				},
			})
			for range 12 {
				pass(nodes)
				clock.Add(30 * time.Hour) // beyond any wait
			}
			for _, d := range one.deliveries(w) {
				require.Equal(rt, webhooks.Delivered, d.State, "event %d", d.Seq)
			}
			require.Len(rt, one.deliveries(w), total)
			arrived, last := map[string]bool{}, map[string]int{}
			for _, a := range r.arrived[w.URL] {
				require.True(rt, replayed || a.Data.N >= last[a.Data.ID], "%s: %d behind %d", a.Data.ID, a.Data.N, last[a.Data.ID])
				arrived[a.ID], last[a.Data.ID] = true, a.Data.N
			}
			require.Len(rt, arrived, total)
			require.Equal(rt, happened, last)
		})
	})
}

func TestNodesThatShareADatabaseAttemptEachDeliveryOnce(t *testing.T) {
	url, clock, vault := storetest.Postgres(t), storetest.NewClock(), storetest.Vault(t)
	r := &receiver{}
	var nodes []*house
	for range 3 {
		nodes = append(nodes, newHouse(t, storetest.Open(t, url, vault, clock, 0), clock))
	}
	one := nodes[0]
	one.hook(r, "https://carrier.example")
	for n := range 60 {
		one.happen(fmt.Sprint("object ", n%20), n/20)
	}
	var passes sync.WaitGroup
	for _, n := range nodes {
		passes.Go(func() {
			if err := n.hookSender(r).Pass(context.Background()); err != nil {
				t.Errorf("pass: %v", err)
			}
		})
	}
	passes.Wait()
	one.deliver(r) // what was queued when its node had nothing left to do
	last := map[string]int{}
	for _, a := range r.arrived["https://carrier.example"] {
		require.Equal(t, last[a.Data.ID], a.Data.N, "each once, in order")
		last[a.Data.ID]++
	}
	require.Len(t, last, 20)
	for object, n := range last {
		require.Equal(t, 3, n, object)
	}
}

func TestAReceiverThatNeverAnswersIsDisabledAfterThreeDaysAndLosesNothing(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx, r := context.Background(), &receiver{}
		w, other := h.hook(r, "https://down.example"), h.hook(r, "https://up.example")
		r.answer = func(url string, _ arrival) webhooks.Result {
			if url == w.URL {
				return webhooks.Result{Fault: webhooks.Unreachable}
			}
			return result(200)
		}
		start := h.clock.Now()
		h.happen("a", 1)
		h.happen("a", 2)
		var attempts []time.Duration
		for {
			h.deliver(r)
			attempts = append(attempts, h.clock.Now().Sub(start).Round(time.Minute))
			w, err := h.db.Webhook(ctx, w.Company, w.ID)
			require.NoError(t, err)
			if !w.Enabled() {
				require.Equal(t, webhooks.Failing, w.DisabledBecause)
				require.Equal(t, start, w.FailingSince)
				break
			}
			h.clock.Add(h.deliveries(w)[0].DueAt.Sub(h.clock.Now()) - time.Second)
			h.deliver(r)
			require.Len(t, r.of(w.URL), len(attempts), "not before it is due")
			h.clock.Add(time.Second)
		}
		const m, hour = time.Minute, time.Hour
		// Standard Webhooks' schedule, each wait a tenth longer
		require.Equal(t, []time.Duration{
			0, 0, 6 * m, 39 * m, 2*hour + 51*m, 8*hour + 21*m, 19*hour + 21*m, 34*hour + 45*m, 56*hour + 45*m, 83*hour + 9*m,
		}, attempts)
		require.Equal(t, []string{"a 1", "a 2"}, r.of(other.URL), "nobody else waited")

		// The feed tells of it, and so does the other webhook
		_, _, err := relayOf(h.db, h.clock).Pass(ctx)
		require.NoError(t, err)
		h.deliver(r)
		told := r.arrived[other.URL][2]
		require.Equal(t, feed.WebhookDisabled, told.Type)
		require.Equal(t, w.ID, told.Data.ID)

		// Nothing is sent while it is disabled; then all of it, in order
		h.clock.Add(48 * time.Hour)
		r.answer = nil
		h.happen("a", 3)
		h.deliver(r)
		require.Len(t, r.of(w.URL), len(attempts))
		_, err = h.hooks(r).Resend(ctx, h.integrator, w.ID, 1)
		require.ErrorIs(t, err, doorstep.ErrConflict)
		_, err = h.hooks(r).Replace(ctx, h.integrator, w.ID, webhooks.Settings{URL: w.URL})
		require.NoError(t, err)
		h.deliver(r)
		late := r.arrived[w.URL][len(attempts):]
		require.Len(t, late, 4)
		late = slices.DeleteFunc(late, func(a arrival) bool { return a.Type == feed.WebhookDisabled }) // of another object, so anywhere
		for i, a := range late {
			require.Equal(t, i+1, a.Data.N)
		}
	})
}

func TestAnEventThatIsRefusedForGoodHoldsUpOnlyItsObjectAndNotForEver(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		r := &receiver{answer: func(_ string, a arrival) webhooks.Result {
			if a.Data.ID == "bad" && a.Data.N == 1 {
				return result(400)
			}
			return result(200)
		}}
		w := h.hook(r, "https://carrier.example")
		h.happen("bad", 1)
		h.happen("bad", 2)
		h.happen("good", 1)
		h.deliver(r)
		require.Equal(t, []webhooks.State{webhooks.Waiting, webhooks.Queued, webhooks.Delivered}, states(h.deliveries(w)))
		for n := 2; n < 12; n++ {
			h.clock.Add(30 * time.Hour)
			h.happen("good", n)
			h.deliver(r)
		}
		require.Equal(t, []webhooks.State{webhooks.Failed, webhooks.Delivered}, states(h.deliveries(w))[:2])
		w, err := h.db.Webhook(context.Background(), w.Company, w.ID)
		require.NoError(t, err)
		require.True(t, w.Enabled(), "others arrive")
	})
}

func TestAReceiverThatIsGoneIsDisabledAtOnce(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		r := &receiver{answer: answering(410)}
		w := h.hook(r, "https://carrier.example")
		h.happen("a", 1)
		h.deliver(r)
		w, err := h.db.Webhook(context.Background(), w.Company, w.ID)
		require.NoError(t, err)
		require.Equal(t, webhooks.Gone, w.DisabledBecause)
		require.Equal(t, []webhooks.State{webhooks.Waiting}, states(h.deliveries(w)))
	})
}

func TestWhoDiesBeforeTheRecordIsFollowedUnderTheSameID(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		r := &receiver{}
		w := h.hook(r, "https://carrier.example")
		h.happen("a", 1)
		ctx, die := context.WithCancel(context.Background())
		r.answer = func(string, arrival) webhooks.Result { die(); return result(200) }
		require.NoError(t, h.hookSender(r).Pass(ctx))
		h.deliver(r)
		require.Len(t, r.of(w.URL), 1, "the lease holds")
		h.clock.Add(webhooks.Lease)
		h.deliver(r)
		require.Equal(t, []string{"a 1", "a 1"}, r.of(w.URL))
		require.Equal(t, r.arrived[w.URL][0].ID, r.arrived[w.URL][1].ID)
		require.Equal(t, []webhooks.State{webhooks.Delivered}, states(h.deliveries(w)))
	})
}

func TestADeliveryGoesWithItsEventAndFreesWhatStandsBehindIt(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx, r := context.Background(), &receiver{answer: answering(410)}
		w := h.hook(r, "https://carrier.example")
		h.happen("a", 1)
		h.clock.Add(time.Hour)
		h.happen("a", 2)
		h.deliver(r)
		h.clock.Add(feed.Kept - time.Minute)
		sweeper := feed.Sweeper{Store: h.db, Now: h.clock.Now, Log: slog.New(slog.DiscardHandler)}
		_, err := sweeper.Sweep(ctx)
		require.NoError(t, err)
		require.Equal(t, []webhooks.State{webhooks.Waiting}, states(h.deliveries(w)))
		r.answer = nil
		_, err = h.hooks(r).Replace(ctx, h.integrator, w.ID, webhooks.Settings{URL: w.URL})
		require.NoError(t, err)
		h.deliver(r)
		require.Equal(t, []string{"a 1", "a 2"}, r.of(w.URL))
	})
}

func TestACompanyHasSoManyWebhooks(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		r := &receiver{}
		made := make(chan error, 2*webhooks.Most)
		for range cap(made) {
			go func() {
				_, err := h.hooks(r).Create(context.Background(), h.integrator, webhooks.Settings{URL: "https://carrier.example"})
				made <- err
			}()
		}
		good := 0
		for range cap(made) {
			if err := <-made; err == nil {
				good++
			} else {
				require.ErrorIs(t, err, doorstep.ErrConflict)
			}
		}
		require.Equal(t, webhooks.Most, good)
	})
}
