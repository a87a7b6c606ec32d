package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"doorstep"
	"doorstep/access"
	"doorstep/store"
)

// What a parcel of the past and a consumer with wishes take on disk, in bytes,
// indexes included; measured on SQLite. It is only for the word of warning.
const (
	parcelBytes   = 1600
	consumerBytes = 400
)

// past is how far back the history reaches.
const past = 60 * 24 * time.Hour

// teach has one consumer complain and set a preference, through the server, and
// gives the others with wishes the same rows, as if each had done so.
func (x *site) teach(ctx context.Context) error {
	secrets, err := x.tokens(ctx, access.Request{Role: doorstep.RoleConsumer, ConsumerPhone: phoneOf(0)})
	if err != nil {
		return err
	}
	server, err := x.serve(ctx)
	if err != nil {
		return err
	}
	client, err := dial(ctx, server.addr)
	if err != nil {
		return err
	}
	defer client.close()
	lastWeek := now().AddDate(0, 0, -7) // a parcel of today would ring its courier once the wishes are known
	steps := []struct{ method, path, token, body string }{
		{"POST", "/v1/dispatches", x.town.token, fmt.Sprintf(`{"dispatches":[{"waybill":"%s","outlet_id":"%s","courier_id":"%s","consignee":{"phone":"%s"},"dispatched_at":"%s"}]}`,
			waybillOf(1), outletID(0), courierID(0), phoneOf(0), lastWeek.Format(time.RFC3339))},
		{"POST", "/v1/complaints", x.town.token, fmt.Sprintf(`{"waybill":"%s","text":"又没问我就把包裹塞进快递柜，以后不要再放快递柜了。"}`, waybillOf(1))},
		{"PUT", "/v1/me/preferences", secrets[0], `{"tags":["call_first"]}`},
	}
	for _, step := range steps {
		whole, _ := request(step.method, step.path, step.token, []byte(step.body))
		if _, err := client.exchange(whole); err != nil {
			return fmt.Errorf("%s %s: %w", step.method, step.path, err)
		}
	}
	if err := x.stop(server); err != nil {
		return err
	}
	return x.spread(ctx, 1, x.town.wishes)
}

// spread copies the first consumer's rows, those whose key begins with the
// consumer, for the others from one number up to another.
func (x *site) spread(ctx context.Context, from, to int) error {
	var sample string
	ids := make([]string, 0, to-from)
	err := x.with(ctx, func(db *store.DB) error {
		no, err := db.Company(ctx, company)
		if err != nil {
			return err
		}
		id := func(i int) string { return string(db.Consumer(no, doorstep.Phone(phoneOf(i)))) }
		sample = id(0)
		for i := from; i < to; i++ {
			ids = append(ids, id(i))
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(ids) // as the keys stand, so that pages fill from left to right
	f, err := newFiller(x.url)
	if err != nil {
		return err
	}
	defer f.close()
	tables, err := f.tables(ctx)
	if err != nil {
		return err
	}
	copied := 0
	for _, t := range tables {
		if len(t.keys) == 0 || t.columns[t.keys[0][0]] != "consumer_id" || slices.Contains(t.columns, "due_at_ms") {
			continue // not a consumer's, or a queue of what is to be done about changes
		}
		rows, err := f.rows(ctx, t, "consumer_id = ?", sample)
		if err != nil {
			return err
		}
		copied += len(rows)
		if err := f.copies(ctx, t, rows, sample, ids, x.stage.Log); err != nil {
			return err
		}
	}
	if copied == 0 {
		return errors.New("no table is keyed by the consumer: there is nothing to copy wishes from")
	}
	// Wishes have changed behind the server's back. A number more tells it not to
	// go by what it knew before.
	if _, err := f.ExecContext(ctx, "update counter set value = value + 1 where name = 'wishes'"); err != nil {
		return err
	}
	return f.finish(ctx)
}

// filler inserts in bulk, with nobody else in the database. On SQLite it does
// without journal and fsync: what breaks off is thrown away.
type filler struct {
	*rawEngine
	dropped []index
	told    []stat
}

// stat is what SQLite's planner is told of an index.
type stat struct {
	Table string `db:"tbl"`
	Index string `db:"idx"`
	Text  string `db:"stat"`
}

func newFiller(dbURL string) (*filler, error) {
	e, err := newEngine(dbURL, map[string]string{"_journal_mode": "OFF", "_synchronous": "OFF", "_locking_mode": "EXCLUSIVE", "_cache_size": "-262144"})
	if err != nil {
		return nil, err
	}
	f := &filler{rawEngine: newRawEngine(e)}
	f.atOnce = 50
	return f, nil
}

func (f *filler) close() { _ = f.Close() }

// dropIndexes leaves the indexes of a table for the end, when they are made in
// one go. With an index SQLite drops what its planner was told of it; that is kept
// for the end, too. PostgreSQL keeps the indexes: few fill it far.
func (f *filler) dropIndexes(ctx context.Context, name string) error {
	if f.postgres {
		return nil
	}
	list, err := f.indexes(ctx, name)
	if err != nil {
		return err
	}
	for _, i := range list {
		var told []stat
		if err := f.SelectContext(ctx, &told, "select tbl, idx, stat from sqlite_stat1 where idx = ?", i.name); err != nil {
			return err
		}
		f.told = append(f.told, told...)
		if _, err := f.ExecContext(ctx, "drop index "+i.name); err != nil {
			return err
		}
	}
	f.dropped = append(f.dropped, list...)
	return nil
}

// finish makes the indexes and the statistics.
func (f *filler) finish(ctx context.Context) error {
	for _, i := range f.dropped {
		if _, err := f.ExecContext(ctx, i.definition); err != nil {
			return fmt.Errorf("index %s: %w", i.name, err)
		}
	}
	for _, s := range f.told {
		if _, err := f.ExecContext(ctx, "insert into sqlite_stat1 (tbl, idx, stat) values (?, ?, ?)", s.Table, s.Index, s.Text); err != nil {
			return fmt.Errorf("statistics of %s: %w", s.Index, err)
		}
	}
	f.dropped, f.told = nil, nil
	if f.postgres {
		_, err := f.ExecContext(ctx, "analyze")
		return err
	}
	var mode string // readers of the write-ahead log must find the file as they left it
	return f.GetContext(ctx, &mode, "pragma journal_mode = wal")
}

// many is how many statements one transaction of a fill holds.
const many = 200

// copies writes rows once more for each id in the place of the sample's.
func (f *filler) copies(ctx context.Context, t table, rows [][]any, sample string, ids []string, log io.Writer) error {
	if err := f.dropIndexes(ctx, t.name); err != nil {
		return err
	}
	cells := cellsOf(t, rows)
	progress := newProgress(log, t.name, len(ids))
	var statements []insertion
	args, inArgs := []any(nil), 0
	flush := func(least int) error {
		if inArgs > 0 {
			statements, args, inArgs = append(statements, insertion{t, inArgs, args}), nil, 0
		}
		if len(statements) < least {
			return nil
		}
		err := f.run(ctx, statements)
		statements = nil
		return err
	}
	for i, id := range ids {
		for _, row := range cells {
			for _, c := range row {
				v := c.fresh(1, int64(i), nil)
				if v == any(sample) {
					v = id
				}
				args = append(args, v)
			}
			if inArgs++; inArgs == f.atOnce {
				if err := flush(many); err != nil {
					return err
				}
			}
		}
		progress.at(i + 1)
	}
	return flush(1)
}

// live gives the installation a past of so many parcels: rows like those that
// the server left for a morning's round that has come to its end, again and
// again, back into the past. Rows that wait for something are not among them.
func (x *site) live(ctx context.Context, s *sample, parcels int) error {
	f, err := newFiller(x.url)
	if err != nil {
		return err
	}
	defer f.close()
	generations := int64(max(1, parcels/(s.items*len(s.parts))))
	progress := newProgress(x.stage.Log, "history", parcels)
	done := 0
	seen := map[string]bool{}
	chance := rand.New(rand.NewPCG(3, 0))
	for _, p := range s.parts { // outlet by outlet, the oldest first: as the keys stand
		for _, t := range p {
			if !seen[t.table.name] {
				seen[t.table.name] = true
				if err := f.dropIndexes(ctx, t.table.name); err != nil {
					return err
				}
			}
		}
		for g := int64(1); g <= generations; g++ {
			age := past.Milliseconds() * (generations - g + 1) / generations
			var statements []insertion
			for _, t := range p {
				statements = append(statements, t.insertions(f.atOnce, g, -age, chance.Uint64)...)
			}
			if err := f.run(ctx, statements); err != nil {
				return fmt.Errorf("history: %w", err)
			}
			done += s.items
			progress.at(done)
		}
	}
	fmt.Fprintln(x.stage.Log, "history: making the indexes")
	return f.finish(ctx)
}

// progress tells how far a long piece of work is, each tenth once.
type progress struct {
	log        io.Writer
	name       string
	all, tenth int
	began      time.Time
}

// long is how many rows are worth a word.
const long = 100_000

func newProgress(log io.Writer, name string, all int) *progress {
	return &progress{log: log, name: name, all: all, began: time.Now()}
}

func (p *progress) at(n int) {
	if tenth := n * 10 / max(1, p.all); p.all >= long && tenth > p.tenth {
		p.tenth = tenth
		fmt.Fprintf(p.log, "%s: %s of %s, %.0f s\n", strings.TrimSpace(p.name), millions(n), millions(p.all), time.Since(p.began).Seconds())
	}
}

func millions(n int) string { return fmt.Sprintf("%.1f M", float64(n)/1e6) }
