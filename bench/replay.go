package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"
)

// raw is the engine alone: it inserts rows like those of a sample, into tables
// with the same indexes, and does nothing else.
type raw struct {
	sample     *sample
	engines    []*rawEngine // one a connection
	generation int64
	chance     *rand.Rand
	perPart    int // parts of a transaction
}

type rawEngine struct {
	*engine
	atOnce   int // rows of a statement
	prepared map[string]*sqlx.Stmt
}

func newRawEngine(e *engine) *rawEngine {
	return &rawEngine{engine: e, prepared: map[string]*sqlx.Stmt{}}
}

// newRaw opens so many connections to the database at dbURL. A transaction
// takes as many parts of the sample as make up unit items.
func newRaw(dbURL string, connections int, s *sample, unit int) (*raw, error) {
	r := &raw{sample: s, chance: rand.New(rand.NewPCG(2, 0)), perPart: max(1, unit/s.items)}
	for range connections {
		e, err := newEngine(dbURL, nil)
		if err != nil {
			return nil, err
		}
		r.engines = append(r.engines, newRawEngine(e))
	}
	return r, nil
}

func (r *raw) close() {
	for _, e := range r.engines {
		_ = e.Close() // it was only measured
	}
}

// insertion is one statement, ready to run.
type insertion struct {
	table table
	rows  int
	args  []any
}

// round is how many transactions are made ready at a time, for each connection.
const round = 4

// fastest settles for the statement size that is fastest here: the reference
// must be a good one.
func (r *raw) fastest(ctx context.Context, d time.Duration, sizes ...int) error {
	best, bestRate := 0, 0.0
	for _, size := range sizes {
		r.setSize(size)
		rate, err := r.measure(ctx, d)
		if err != nil {
			return err
		}
		if rate > bestRate {
			best, bestRate = size, rate
		}
	}
	r.setSize(best)
	return nil
}

func (r *raw) setSize(rows int) {
	for _, e := range r.engines {
		e.atOnce = rows
	}
}

// size is how many rows a statement has.
func (r *raw) size() int { return r.engines[0].atOnce }

// measure gives items a second. Making the rows is not in the time.
func (r *raw) measure(ctx context.Context, d time.Duration) (float64, error) {
	var took time.Duration
	items := 0
	for took < d {
		ready := make([][][]insertion, len(r.engines))
		for i, e := range r.engines {
			for range round {
				ready[i] = append(ready[i], r.transaction(e.atOnce))
			}
		}
		var work errgroup.Group
		var mu sync.Mutex
		began := time.Now()
		for i, e := range r.engines {
			work.Go(func() error {
				for _, statements := range ready[i] {
					if err := e.run(ctx, statements); err != nil {
						return err
					}
					mu.Lock()
					items += r.sample.items * r.perPart
					mu.Unlock()
				}
				return nil
			})
		}
		if err := work.Wait(); err != nil {
			return 0, fmt.Errorf("raw inserts: %w", err)
		}
		took += time.Since(began)
	}
	return float64(items) / took.Seconds(), nil
}

// transaction makes the rows of the next transaction.
func (r *raw) transaction(atOnce int) (list []insertion) {
	for range r.perPart {
		p := r.sample.parts[r.generation%int64(len(r.sample.parts))]
		// Parts of one outlet have a generation in common with those of others.
		generation := 1 + r.generation/int64(len(r.sample.parts))
		r.generation++
		for _, t := range p {
			list = append(list, t.insertions(atOnce, generation, generation*generationSpan.Milliseconds(), r.chance.Uint64)...)
		}
	}
	return list
}

func (t tableRows) insertions(atOnce int, generation, shift int64, random func() uint64) (list []insertion) {
	for rows := t.rows; len(rows) > 0; {
		chunk := rows[:min(atOnce, len(rows))]
		rows = rows[len(chunk):]
		args := make([]any, 0, len(chunk)*len(t.table.columns))
		for _, row := range chunk {
			for i := range row {
				args = append(args, row[i].fresh(generation, shift, random))
			}
		}
		list = append(list, insertion{t.table, len(chunk), args})
	}
	return list
}

func (e *rawEngine) run(ctx context.Context, statements []insertion) error {
	for _, s := range statements { // prepared once, outside of any transaction
		if err := e.prepare(ctx, s); err != nil {
			return err
		}
	}
	tx, err := e.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // a no-op after the commit
	for _, s := range statements {
		// The pool has one connection, so the statement is that connection's.
		if _, err := tx.StmtxContext(ctx, e.prepared[s.name()]).ExecContext(ctx, s.args...); err != nil {
			return fmt.Errorf("%s: %w", s.table.name, err)
		}
	}
	return tx.Commit()
}

func (s insertion) name() string { return fmt.Sprintf("%s %d", s.table.name, s.rows) }

func (e *rawEngine) prepare(ctx context.Context, s insertion) error {
	if e.prepared[s.name()] != nil {
		return nil
	}
	stmt, err := e.PreparexContext(ctx, e.Rebind(s.text(e.verb())))
	if err != nil {
		return fmt.Errorf("%s: %w", s.table.name, err)
	}
	e.prepared[s.name()] = stmt
	return nil
}

// verb spares SQLite copies of the pages for the case that a row is refused, as
// the server does.
func (e *engine) verb() string {
	if e.postgres {
		return "insert into"
	}
	return "insert or fail into"
}

func (s insertion) text(verb string) string {
	one := "(" + strings.Repeat("?, ", len(s.table.columns)-1) + "?)"
	return verb + " " + s.table.name + " (" + strings.Join(s.table.columns, ", ") + ") values " +
		strings.Repeat(one+", ", s.rows-1) + one
}
