package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Providers' records come a hundred a call over four connections: 25 telephone
// calls of four reports each.
const (
	providerConnections = 4
	reportsEach         = 4
	providerBatch       = 25 * reportsEach
)

// besideDispatches is how many calls of 100 dispatches a second go on beside
// providers' records.
const besideDispatches = 10

// providers is how many records a second are kept, read and folded: alone, against
// the raw engine that inserts the rows which the server wrote for them, and beside
// dispatches; and how long a provider waits for its answer then.
func (s *stage) providers(ctx context.Context) (rows []Row, err error) {
	x, err := s.newTaughtSite(ctx)
	if err != nil {
		return nil, err
	}
	defer x.closeInto(&err)
	server, err := x.serve(ctx)
	if err != nil {
		return nil, err
	}
	e, err := newEngine(x.url, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	first := x.town.waybill.Load()
	if _, err := fixedLoop(ctx, target{server.addr, []feed{x.town.batches(0, providerBatch)}}, outlets*providerBatch); err != nil {
		return nil, err
	}
	p := &reporting{engine: e, target: target{addr: server.addr}}
	for i := range providerConnections {
		p.target.feeds = append(p.target.feeds, newReports(x.town.token, first, uint64(i)))
	}
	written, err := p.sample(ctx)
	if err != nil {
		return nil, err
	}
	reference, err := x.newReference(ctx, written, providerConnections)
	if err != nil {
		return nil, err
	}
	defer reference.close()

	alone := Row{
		Name: "providers", Title: "providers' records kept, read and folded, batches of 100 over 4 connections", Unit: "records/s",
		Goal: &Goal{Must: 0.20, Aim: 0.35}, Against: reference.describe("records"),
	}
	alone.Runs, err = s.pairs(ctx,
		func(ctx context.Context) (float64, error) { return p.sustained(ctx, s.Scale.Slice) },
		func(ctx context.Context) (float64, error) { return reference.measure(ctx, s.Scale.Slice) })
	if err != nil {
		return nil, err
	}
	beside := Row{
		Name: "providers-beside", Title: fmt.Sprintf("the same beside %d dispatches a second", besideDispatches*providerBatch), Unit: "records/s",
		Goal: &Goal{Must: 1000, Aim: 3000},
	}
	answers := Row{
		Name: "providers-answer", Title: fmt.Sprintf("p99 of the answer to %d single records a second beside as many dispatches", perSecond/2), Unit: "ms",
		Goal: &Goal{Must: 300, Aim: 30, AtMost: true},
	}
	parcels := target{server.addr, feeds(8, func(i int) *orders { return x.town.batches(i, providerBatch) })}
	beside.Runs, err = s.pairs(ctx, func(ctx context.Context) (rate float64, err error) {
		return rate, besideDispatched(ctx, parcels, s.Scale.Paced, func(ctx context.Context) error {
			rate, err = p.sustained(ctx, s.Scale.Paced)
			return err
		})
	}, nil)
	if err != nil {
		return nil, err
	}
	single := target{server.addr, feeds(32, func(i int) *reports { return newSingleReports(x.town.token, first, uint64(i)) })}
	answers.Runs, err = s.pairs(ctx, func(ctx context.Context) (p99 float64, err error) {
		return p99, besideDispatched(ctx, parcels, s.Scale.Paced, func(ctx context.Context) error {
			took, err := openLoop(ctx, single, perSecond/2, s.Scale.Paced, nil)
			p99 = millis(Percentile(took, 0.99))
			return err
		})
	}, nil)
	return []Row{alone.sum(), beside.sum(), answers.sum()}, err
}

// besideDispatched does something while dispatches come at their rate.
func besideDispatched(ctx context.Context, t target, d time.Duration, do func(context.Context) error) error {
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error {
		_, err := openLoop(ctx, t, besideDispatches, d, nil)
		return err
	})
	work.Go(func() error { return do(ctx) })
	return work.Wait()
}

// reporting brings records and waits until they are read.
type reporting struct {
	engine *engine
	target target
}

// sample takes what the server writes for 1,000 records. What it writes once a
// minute and provider is there before: it would not go into a table twice.
func (p *reporting) sample(ctx context.Context) (*sample, error) {
	const enough = 10 * time.Second
	if left := time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)); left < enough {
		if err := pause(ctx, left); err != nil {
			return nil, err
		}
	}
	one := target{p.target.addr, p.target.feeds[:1]}
	if _, err := fixedLoop(ctx, one, providerBatch); err != nil {
		return nil, err
	}
	if err := p.read(ctx); err != nil {
		return nil, err
	}
	before, err := p.engine.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := fixedLoop(ctx, one, unit); err != nil {
		return nil, err
	}
	if err := p.read(ctx); err != nil {
		return nil, err
	}
	return p.engine.since(ctx, before, 1, unit, false)
}

// sustained gives records a second, from the first request until the last record
// is read.
func (p *reporting) sustained(ctx context.Context, d time.Duration) (float64, error) {
	sent := func() (n int) {
		for _, f := range p.target.feeds {
			n += f.(*reports).sent
		}
		return n
	}
	before, began := sent(), time.Now()
	if _, err := closedLoop(ctx, d, p.target); err != nil {
		return 0, err
	}
	if err := p.read(ctx); err != nil {
		return 0, err
	}
	return float64(sent()-before) / time.Since(began).Seconds(), nil
}

// read waits until no record waits.
func (p *reporting) read(ctx context.Context) error {
	for {
		var waiting int
		if err := p.engine.GetContext(ctx, &waiting, `select count(*) from provider_record where state = 'waiting'`); err != nil {
			return err
		}
		if waiting == 0 {
			return nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// reports is the feed of one connection's records, about new telephone calls each
// time.
type reports struct {
	request []byte
	calls   []int // where the ids of the telephone calls begin, as often as they stand
	each    int   // ids of the same call, in a row
	size    int
	sent    int
	chance  *rand.Rand
}

func newReports(token string, first int64, seed uint64) *reports {
	return makeReports(token, first, seed, providerBatch, reportsEach)
}

func newSingleReports(token string, first int64, seed uint64) *reports {
	return makeReports(token, first, seed+providerConnections, 1, 1)
}

func makeReports(token string, first int64, seed uint64, size, of int) *reports {
	const id = "00000000-0000-4000-8000-000000000000" // of the form that a sample makes anew
	r := &reports{each: 2 * of, size: size, chance: rand.New(rand.NewPCG(5, seed))}
	states := [reportsEach]string{"placed", "ringing", "answered", "ended"}
	var text strings.Builder
	now := time.Now().UTC()
	text.WriteString(`{"events":[`)
	for i := range size {
		if i > 0 {
			text.WriteByte(',')
		}
		for _, name := range []string{`{"event_id":"`, fmt.Sprintf(`-%d","call_id":"`, i%of)} {
			text.WriteString(name)
			r.calls = append(r.calls, text.Len())
			text.WriteString(id)
		}
		fmt.Fprintf(&text, `","kind":"call","waybill":"%s","state":"%s","at":"%s"}`,
			waybillOf(first+1+int64(i/of)), states[i%of], now.Add(time.Duration(i%of)*10*time.Second).Format(time.RFC3339))
	}
	text.WriteString(`]}`)
	whole, bodyAt := request("POST", "/v1/providers/generic/events", token, []byte(text.String()))
	r.request = whole
	for i := range r.calls {
		r.calls[i] += bodyAt
	}
	return r
}

func (r *reports) next() []byte {
	var call uint64
	for i, at := range r.calls {
		if i%r.each == 0 {
			call = r.chance.Uint64()
		}
		writeHex(r.request[at:at+8], call>>32)
		writeHex(r.request[at+24:at+36], call)
	}
	r.sent += r.size
	return r.request
}

func (r *reports) check(body []byte) error {
	if n := bytes.Count(body, []byte(`"status":"accepted"`)); n != r.size {
		return fmt.Errorf("%d of %d records were accepted: %.300s", n, r.size, body)
	}
	return nil
}

func (r *reports) items() int { return r.size }
