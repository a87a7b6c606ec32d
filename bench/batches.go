package bench

import (
	"context"
	"fmt"
	"path/filepath"

	"doorstep/store"
)

// unit is how many dispatches, or records, a transaction of the raw engine has.
const unit = 1000

// batches is calls of 1,000 and of 100 dispatches, against the raw engine that
// inserts the rows which the server wrote for such calls.
func (s *stage) batches(ctx context.Context) (rows []Row, err error) {
	x, err := s.newTaughtSite(ctx)
	if err != nil {
		return nil, err
	}
	defer x.closeInto(&err)
	server, err := x.serve(ctx)
	if err != nil {
		return nil, err
	}
	written, err := x.sampleDispatches(ctx, server)
	if err != nil {
		return nil, err
	}
	for _, b := range []struct {
		row               Row
		connections, size int
	}{
		{Row{Name: "batches", Title: "batches of 1,000 dispatches over 4 connections", Goal: &Goal{Must: 0.50, Aim: 0.75}}, 4, 1000},
		{Row{Name: "small-batches", Title: "batches of 100 dispatches over 8 connections", Goal: &Goal{Must: 0.40, Aim: 0.70}}, 8, 100},
	} {
		if !s.wants(b.row.Name) {
			continue
		}
		reference, err := x.newReference(ctx, written, b.connections)
		if err != nil {
			return nil, err
		}
		defer reference.close()
		t := target{server.addr, feeds(b.connections, func(i int) *orders { return x.town.batches(i, b.size) })}
		if err := s.warmUp(ctx, t); err != nil {
			return nil, err
		}
		b.row.Unit, b.row.Against = "dispatches/s", reference.describe("dispatches")
		if b.row.Runs, err = s.against(ctx, t, reference); err != nil {
			return nil, err
		}
		rows = append(rows, b.row.sum())
	}
	return rows, nil
}

// against measures requests and the raw engine in turns.
func (s *stage) against(ctx context.Context, t target, reference *raw) ([]Paired, error) {
	return s.pairs(ctx,
		func(ctx context.Context) (float64, error) { return closedLoop(ctx, s.Scale.Slice, t) },
		func(ctx context.Context) (float64, error) { return reference.measure(ctx, s.Scale.Slice) })
}

// newTaughtSite is a new installation with wishes.
func (s *stage) newTaughtSite(ctx context.Context) (*site, error) {
	x, err := s.newSite(ctx)
	if err != nil {
		return nil, err
	}
	if err := x.teach(ctx); err != nil {
		x.closeInto(&err)
		return nil, fmt.Errorf("wishes: %w", err)
	}
	return x, nil
}

// sampleDispatches takes what the server writes for a batch of 1,000 at each
// outlet. A first round makes outlets, couriers and whatever else is made once.
func (x *site) sampleDispatches(ctx context.Context, server *process) (*sample, error) {
	e, err := newEngine(x.url, nil)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	t := target{server.addr, []feed{x.town.batches(0, unit)}}
	if _, err := fixedLoop(ctx, t, outlets*unit); err != nil {
		return nil, err
	}
	if err := pause(ctx, x.stage.Scale.Seal); err != nil {
		return nil, err
	}
	before, err := e.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := fixedLoop(ctx, t, outlets*unit); err != nil {
		return nil, err
	}
	if err := pause(ctx, x.stage.Scale.Seal); err != nil {
		return nil, err
	}
	return e.since(ctx, before, outlets, unit, false)
}

// newReference makes the raw engine over an empty database of its own with the
// same schema, on the same disk or server. SQLite has one writer, PostgreSQL as many
// connections as the server has clients.
func (x *site) newReference(ctx context.Context, written *sample, connections int) (*raw, error) {
	x.references++
	dbURL := filepath.Join(x.dir, fmt.Sprintf("raw-%d.db", x.references))
	sizes := []int{1, 50}
	if x.admin != "" {
		var err error
		if dbURL, err = createDatabase(ctx, x.admin); err != nil {
			return nil, err
		}
		x.extra = append(x.extra, dbURL)
		sizes = []int{50, 250}
	} else {
		connections = 1
	}
	db, err := store.Open(ctx, store.Config{URL: dbURL, Vault: x.vault, Now: now, TimeZone: "UTC"})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	r, err := newRaw(dbURL, connections, written, unit)
	if err != nil {
		return nil, err
	}
	if err := r.fastest(ctx, x.stage.Scale.Slice/3, sizes...); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// describe says what the reference does.
func (r *raw) describe(items string) string {
	rows, engines := 0, ""
	for _, p := range r.sample.parts {
		rows += p.rows()
	}
	if len(r.engines) > 1 {
		engines = fmt.Sprintf(" over %d connections", len(r.engines))
	}
	each := float64(rows) / float64(r.sample.items*len(r.sample.parts))
	return fmt.Sprintf("the same rows (%.2f a piece) inserted raw, 1,000 %s a transaction, %d rows a prepared statement%s", each, items, r.size(), engines)
}
