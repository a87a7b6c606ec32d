package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"doorstep"
	"doorstep/access"
)

// livedEach is how long a server runs before it is started anew, for each consumer
// with wishes.
const livedEach = 2 * time.Microsecond

// growth is what becomes of the rate when there are many consumers and a long
// past, with the file warm and cold, and what memory the server then takes.
func (s *stage) growth(ctx context.Context) (rows []Row, err error) {
	const connections = 4
	small, err := s.newTaughtSite(ctx)
	if err != nil {
		return nil, err
	}
	defer small.closeInto(&err)
	large, err := s.newGrownSite(ctx)
	if err != nil {
		return nil, err
	}
	defer large.closeInto(&err)
	load := func(x *site, server *process) target {
		return target{server.addr, feeds(connections, func(i int) *orders { return x.town.batches(i, unit) })}
	}
	reference, err := small.serve(ctx)
	if err != nil {
		return nil, err
	}
	theirs := load(small, reference)
	if err := s.warmUp(ctx, theirs); err != nil {
		return nil, err
	}

	size := fmt.Sprintf("%s consumers with wishes and %s parcels of history", millions(s.Consumers), millions(s.History))
	if err := large.warm(ctx); err != nil {
		return nil, err
	}
	server, err := large.serve(ctx)
	if err != nil {
		return nil, err
	}
	ours := load(large, server)
	if err := s.warmUp(ctx, ours); err != nil {
		return nil, err
	}
	warm := Row{
		Name: "growth", Title: "batches of 1,000 dispatches over 4 connections with " + size, Unit: "dispatches/s",
		Goal: &Goal{Must: 0.80, Aim: 0.95}, Against: "the same on an empty database",
	}
	warm.Runs, err = s.pairs(ctx,
		func(ctx context.Context) (float64, error) { return closedLoop(ctx, s.Scale.Slice, ours) },
		func(ctx context.Context) (float64, error) { return closedLoop(ctx, s.Scale.Slice, theirs) })
	if err != nil {
		return nil, err
	}

	eight := target{server.addr, feeds(8, func(i int) *orders { return large.town.batches(i, unit) })}
	if _, err := closedLoop(ctx, s.Scale.Slice, eight); err != nil {
		return nil, err
	}
	peak, err := server.peakMemory()
	if err != nil {
		return nil, err
	}
	memory := Row{
		Name: "memory", Title: "peak of resident memory with " + size + ", at last under batches of 1,000 over 8 connections",
		Unit: "MB", Goal: &Goal{Must: 500, Aim: 300, AtMost: true}, Runs: []Paired{{Doorstep: float64(peak) / 1e6}},
	}
	// What follows is a restart, as of a server that has lived with this data: long
	// enough to know of whom something is known.
	if err := pause(ctx, time.Second+time.Duration(s.Consumers)*livedEach); err != nil {
		return nil, err
	}
	if err := large.stop(server); err != nil {
		return nil, err
	}
	cold := Row{
		Name: "cold", Title: fmt.Sprintf("the first %d dispatches with %s after the file has left the page cache", s.Scale.Cold, size),
		Unit: "dispatches/s", Goal: &Goal{Must: 0.30, Aim: 0.70}, Against: "the same rate on an empty database",
	}
	cold.Runs, err = s.pairs(ctx,
		func(ctx context.Context) (rate float64, err error) {
			if err := large.chill(); err != nil {
				return 0, err
			}
			server, err := large.serve(ctx)
			if err != nil {
				return 0, err
			}
			if rate, err = fixedLoop(ctx, load(large, server), s.Scale.Cold); err != nil {
				return 0, err
			}
			return rate, large.stop(server)
		},
		func(ctx context.Context) (float64, error) { return fixedLoop(ctx, theirs, s.Scale.Cold) })
	if err != nil {
		return nil, err
	}

	return []Row{warm.sum(), cold.sum(), memory.sum()}, nil
}

// newGrownSite is an installation with as many consumers and parcels as asked
// for.
func (s *stage) newGrownSite(ctx context.Context) (x *site, err error) {
	if x, err = s.newTaughtSite(ctx); err != nil {
		return nil, err
	}
	if err := x.grow(ctx); err != nil {
		x.closeInto(&err)
		return nil, err
	}
	return x, nil
}

func (x *site) grow(ctx context.Context) error {
	morning, err := x.sampleMorning(ctx)
	if err != nil {
		return err
	}
	if more := x.stage.Consumers; more > x.town.wishes {
		if err := x.spread(ctx, x.town.wishes, more); err != nil {
			return err
		}
		x.town.wishes = more
	}
	return x.live(ctx, morning, x.stage.History)
}

// sampleMorning takes what the server has of a morning that is over: pushed,
// and acknowledged by the couriers.
func (x *site) sampleMorning(ctx context.Context) (written *sample, err error) {
	phones, err := newPhones(x.dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, phones.close()) }()
	if err := x.register(ctx, couriers); err != nil {
		return nil, err
	}
	var who []access.Request
	for i := range couriers {
		who = append(who, access.Request{Role: doorstep.RoleCourier, CourierID: courierID(i)})
	}
	secrets, err := x.tokens(ctx, who...)
	if err != nil {
		return nil, err
	}
	server, err := x.servePhones(ctx, phones, usualInFlight)
	if err != nil {
		return nil, err
	}
	e, err := newEngine(x.url, nil)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	t := target{server.addr, []feed{x.town.batches(0, unit)}}
	if _, err := fixedLoop(ctx, t, outlets*unit); err != nil { // makes what is made once
		return nil, err
	}
	before, err := e.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	x.town.waybill.Store(firstOfPast)
	if _, err := fixedLoop(ctx, t, outlets*unit); err != nil {
		return nil, err
	}
	x.town.waybill.Store(firstOfLoad + outlets*unit)
	client, err := dial(ctx, server.addr)
	if err != nil {
		return nil, err
	}
	defer client.close()
	for _, secret := range secrets {
		if err := acknowledge(client, secret); err != nil {
			return nil, err
		}
	}
	if err := pause(ctx, x.stage.Scale.Seal); err != nil {
		return nil, err
	}
	if written, err = e.since(ctx, before, outlets, unit, true); err != nil {
		return nil, err
	}
	for _, name := range sortedKeys(written.waiting) {
		if n := written.waiting[name]; n > 0 {
			fmt.Fprintf(x.stage.Log, "history: without %d rows of %s, which wait for something\n", n, name)
		}
	}
	return written, x.stop(server)
}

// acknowledge reads a courier's inbox and acknowledges all of it.
func acknowledge(client *conn, secret string) error {
	get, _ := request("GET", "/v1/me/alerts?limit=200", secret, nil)
	body, err := client.exchange(get)
	if err != nil {
		return err
	}
	at := time.Now().UTC().Format(time.RFC3339Nano)
	var receipts []string
	for rest := string(body); ; {
		_, after, ok := strings.Cut(rest, `"alert_id":"`)
		if !ok {
			break
		}
		var id string
		id, rest, _ = strings.Cut(after, `"`)
		receipts = append(receipts, fmt.Sprintf(`{"alert_id":"%s","event":"acknowledged","at":"%s"}`, id, at))
	}
	if len(receipts) == 0 {
		return nil
	}
	post, _ := request("POST", "/v1/me/alerts/receipts", secret, []byte(`{"receipts":[`+strings.Join(receipts, ",")+`]}`))
	_, err = client.exchange(post)
	return err
}

// warm reads the database once, so that the page cache has of it what fits.
func (x *site) warm(ctx context.Context) error {
	f, err := os.Open(x.url)
	if err != nil {
		return err
	}
	defer f.Close()
	for piece := make([]byte, 1<<20); ctx.Err() == nil; {
		if _, err := f.Read(piece); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// chill drops the database from the page cache. No server may run.
func (x *site) chill() error {
	for _, file := range []string{x.url, x.url + "-wal"} {
		if err := chill(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
