package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
	"doorstep/evidence"
	"doorstep/store"
)

// loggedOutlet has the log that is measured. Nobody else writes there.
const loggedOutlet doorstep.OutletNo = 4000

// append is how many records a second are committed and put into their log, against
// the same calls without a log: there a trigger lets nothing into its queue, and
// nobody seals.
func (s *stage) append(ctx context.Context) (rows []Row, err error) {
	logged, err := s.newSite(ctx)
	if err != nil {
		return nil, err
	}
	defer logged.closeInto(&err)
	bare, err := s.newSite(ctx)
	if err != nil {
		return nil, err
	}
	defer bare.closeInto(&err)
	if err := bare.dropLog(ctx); err != nil {
		return nil, err
	}
	row := Row{
		Name: "append", Title: "records committed 100 at a time, and sealed into their log", Unit: "records/s", Goal: &Goal{Must: 0.35},
		Against: "the same calls on a database whose log takes nothing in, within the same process",
	}
	err = logged.with(ctx, func(with *store.DB) error {
		return bare.with(ctx, func(without *store.DB) error {
			sealer := evidence.NewSealer(with, slog.New(slog.DiscardHandler))
			row.Runs, err = s.pairs(ctx, func(ctx context.Context) (float64, error) {
				return appendFor(ctx, s.Scale.Slice, with, sealer)
			}, func(ctx context.Context) (float64, error) {
				return appendFor(ctx, s.Scale.Slice, without, nil)
			})
			return err
		})
	})
	return []Row{row.sum()}, err
}

// dropLog has the log of an installation take nothing in.
func (x *site) dropLog(ctx context.Context) error {
	e, err := newEngine(x.url, nil)
	if err != nil {
		return err
	}
	defer e.Close()
	statements := []string{`create trigger unlogged before insert on seal_queue begin select raise(ignore); end`}
	if e.postgres {
		statements = []string{
			`create function unlogged() returns trigger language plpgsql as 'begin return null; end'`,
			`create trigger unlogged before insert on seal_queue for each row execute function unlogged()`,
		}
	}
	for _, statement := range statements {
		if _, err := e.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("drop the log: %w", err)
		}
	}
	return nil
}

// appendFor commits records for some time and, with a sealer, seals them after each
// tenth call, as many as come together in the time that a sealer lets them gather.
func appendFor(ctx context.Context, d time.Duration, db *store.DB, sealer *evidence.Sealer) (float64, error) {
	const size, gathered = 100, 10
	began, done := time.Now(), 0
	for time.Since(began) < d {
		for range gathered {
			facts := make([]evidence.Fact, size)
			for i := range facts {
				facts[i] = evidence.Fact{
					ID: doorstep.MakeID(loggedOutlet), Outlet: loggedOutlet, Kind: evidence.Call, Source: evidence.Device, CourierNo: 7,
					Waybill: "SF1234567890", OccurredAt: now(), ReceivedAt: now(), ClientID: doorstep.MakeID(loggedOutlet),
					Fields: []evidence.Field{{Name: "direction", Value: "outgoing"}, {Name: "duration_s", Value: 31.5}, {Name: "outcome", Value: "answered"}},
				}
			}
			if _, err := db.AddUploads(ctx, facts); err != nil {
				return 0, err
			}
			done += size
		}
		if sealer == nil {
			continue
		}
		n, _, err := sealer.Pass(ctx)
		if err != nil {
			return 0, err
		}
		if n != size*gathered {
			return 0, fmt.Errorf("%d of %d records were sealed", n, size*gathered)
		}
	}
	return float64(done) / time.Since(began).Seconds(), nil
}

// leafBytes is about what a leaf takes on disk, with its index and its tiles.
const leafBytes = 200

// proofs is how many are asked for in a run.
const proofs = 1000

// inclusion is how long a proof takes that a record is in a long log: of records
// anywhere in it, made by the use case in this process, checked before it is given.
func (s *stage) inclusion(ctx context.Context) (rows []Row, err error) {
	x, err := s.newSite(ctx)
	if err != nil {
		return nil, err
	}
	defer x.closeInto(&err)
	if err := x.growLog(ctx, s.Leaves); err != nil {
		return nil, err
	}
	title := fmt.Sprintf("of a proof that a record is in a log of %d leaves", s.Leaves)
	half := Row{Name: "inclusion", Title: "median " + title, Unit: "ms", Goal: &Goal{Must: 1, AtMost: true}}
	most := Row{Name: "inclusion-p99", Title: "p99 " + title, Unit: "ms"}
	err = x.with(ctx, func(db *store.DB) error {
		ledger := evidence.Ledger{Store: db, Keys: db.LogKeys(), Now: now}
		log := evidence.Log{No: loggedOutlet, Company: company, Outlet: "bench"}
		for range s.Runs {
			took := make([]time.Duration, proofs)
			for i := range took {
				record := fillerName(rand.IntN(s.Leaves))
				began := time.Now()
				if _, err := ledger.Inclusion(ctx, log, record, 0); err != nil {
					return err
				}
				took[i] = time.Since(began)
			}
			half.Runs = append(half.Runs, Paired{Doorstep: millis(Percentile(took, 0.50))})
			most.Runs = append(most.Runs, Paired{Doorstep: millis(Percentile(took, 0.99))})
		}
		return nil
	})
	return []Row{half.sum(), most.sum()}, err
}

func fillerName(i int) string { return fmt.Sprintf("filler-%012d", i) }

// growLog writes a log of leaves that bring their own text, past the store: its
// leaves, its whole tiles and its head.
func (x *site) growLog(ctx context.Context, leaves int) error {
	e, err := newEngine(x.url, nil)
	if err != nil {
		return err
	}
	defer e.Close()
	progress := newProgress(x.stage.Log, "log_leaf", leaves)
	const atOnce = 1000
	var tree evidence.Tree
	var edges [64][]byte // the hashes of each level that no whole tile has yet
	for from := 0; from < leaves; from += atOnce {
		var list, tiles []any
		for i := from; i < min(from+atOnce, leaves); i++ {
			text := fmt.Sprintf("leaf %d\n", i)
			hash := tlog.RecordHash([]byte(text))
			list = append(list, int64(loggedOutlet), int64(i), fillerName(i), hash[:], text)
			edges[0] = append(edges[0], hash[:]...)
			for level, root := range tree.Append(hash) {
				n := tree.Size>>(evidence.TileHeight*(level+1)) - 1
				tiles = append(tiles, int64(loggedOutlet), level, n, root[:], edges[level])
				edges[level], edges[level+1] = nil, append(edges[level+1], root[:]...)
			}
		}
		tx, err := e.BeginTxx(ctx, nil)
		if err != nil {
			return err
		}
		for into, args := range map[string][]any{
			"log_leaf (outlet_no, seq, record_id, hash, text)": list,
			"log_tile (outlet_no, level, n, root, hashes)":     tiles,
		} {
			if len(args) == 0 {
				continue
			}
			query := "insert into " + into + " values (?, ?, ?, ?, ?)" + strings.Repeat(", (?, ?, ?, ?, ?)", len(args)/5-1)
			if _, err := tx.ExecContext(ctx, tx.Rebind(query), args...); err != nil {
				return errors.Join(fmt.Errorf("grow a log: %w", err), tx.Rollback())
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		progress.at(min(from+atOnce, leaves))
	}
	var subtrees []byte
	for _, h := range tree.Subtrees {
		subtrees = append(subtrees, h[:]...)
	}
	_, err = e.ExecContext(ctx, e.Rebind(`insert into log_head (outlet_no, size, subtrees) values (?, ?, ?)`), int64(loggedOutlet), tree.Size, subtrees)
	return err
}
