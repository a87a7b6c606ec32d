package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Config says what to measure. Every field without a default is needed.
type Config struct {
	Program    string // the server, and the references that are processes
	Dir        string // for data, on the disk that is to be measured
	Postgres   string // a server to make databases in; "" measures SQLite
	Consumers  int    // with wishes, in the installation that has grown; 0: it is not measured
	History    int    // parcels in its past
	Complaints int    // of a company whose desks and figures are measured; 0: they are not
	Leaves     int    // of the log from which records are proven
	Only       []string
	Runs       int
	Quick      bool
	Scale      Scale
	Log        io.Writer // what is being done
}

// Scale is how much is done for a figure.
type Scale struct {
	Slice  time.Duration // one side of a run
	Paced  time.Duration // one side of a run, at a given rate
	Queue  int           // alerts that a run drains
	Cold   int           // dispatches after the file has gone cold
	Phones int           // couriers with a phone
	Wishes int           // consumers with wishes, where the rest of the data is small
	Seal   time.Duration // until a write's last row is there: the log seals within a second
}

// The scales: Quick is done within a minute.
var (
	Full  = Scale{Slice: 4 * time.Second, Paced: 10 * time.Second, Queue: 100_000, Cold: 10_000, Phones: 2000, Wishes: 10_000, Seal: 1500 * time.Millisecond}
	Quick = Scale{Slice: 350 * time.Millisecond, Paced: 800 * time.Millisecond, Queue: 1500, Cold: 10_000, Phones: 500, Wishes: 2000, Seal: 1200 * time.Millisecond}
)

// stage is a run of the benchmarks.
type stage struct{ Config }

// measurement is what one set-up finds.
type measurement struct {
	names   []string // of its rows
	run     func(*stage, context.Context) ([]Row, error)
	without func(*stage) string // why it is left out; "" if it is not
}

func onAnyEngine(*stage) string { return "" }

func grown(s *stage) string {
	switch {
	case s.Postgres != "":
		return "measured on SQLite only: the page cache of a PostgreSQL server is not ours to drop"
	case s.Consumers == 0 && s.History == 0:
		return "needs --consumers and --history"
	}
	return ""
}

var measurements = []measurement{
	{[]string{"batches", "small-batches"}, (*stage).batches, onAnyEngine},
	{[]string{"singles"}, (*stage).singles, onAnyEngine},
	{[]string{"latency"}, (*stage).latency, onAnyEngine},
	{[]string{"alerts"}, (*stage).alerts, onAnyEngine},
	{[]string{"drain"}, (*stage).drain, onAnyEngine},
	{[]string{"delayed"}, (*stage).delayed, onAnyEngine},
	{[]string{"uploads"}, (*stage).uploads, onAnyEngine},
	{[]string{"providers", "providers-beside", "providers-answer"}, (*stage).providers, onAnyEngine},
	{[]string{"filing"}, (*stage).filing, onAnyEngine},
	{[]string{"queue", "month", "company"}, (*stage).desks, func(s *stage) string {
		if s.Complaints == 0 {
			return "needs --complaints"
		}
		return ""
	}},
	{[]string{"growth", "cold", "memory"}, (*stage).growth, grown},
	{[]string{"casefile"}, (*stage).casefile, onAnyEngine},
	{[]string{"append"}, (*stage).append, onAnyEngine},
	{[]string{"inclusion", "inclusion-p99"}, (*stage).inclusion, onAnyEngine},
	{[]string{"verify"}, (*stage).verify, onAnyEngine},
	{[]string{"nodes"}, (*stage).nodes, func(s *stage) string {
		if s.Postgres == "" {
			return "needs --db postgres://..."
		}
		return ""
	}},
}

// Names lists the rows, in the order of the table.
func Names() (names []string) {
	for _, m := range measurements {
		names = append(names, m.names...)
	}
	return names
}

// Run measures, one row after the other.
func Run(ctx context.Context, cfg Config) (Report, error) {
	for _, name := range cfg.Only {
		if !slices.Contains(Names(), name) {
			return Report{}, fmt.Errorf("there is no row %q; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	// The clients and the raw engine live here. They should collect garbage
	// seldom, for what they measure shares the processors with them.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	s := &stage{cfg}
	began := time.Now()
	r := Report{
		At: began.UTC(), Engine: "SQLite", Go: runtime.Version(), Machine: machine(), Processors: runtime.NumCPU(), Quick: cfg.Quick,
	}
	if cfg.Postgres != "" {
		var err error
		if r.Engine, r.Settings, err = postgresSettings(ctx, cfg.Postgres); err != nil {
			return r, err
		}
	}
	if err := s.room(); err != nil {
		return r, err
	}
	for _, m := range measurements {
		if !slices.ContainsFunc(m.names, s.wants) {
			continue
		}
		if why := m.without(s); why != "" {
			r.Left = append(r.Left, strings.Join(m.names, ", ")+": "+why)
			continue
		}
		fmt.Fprintf(cfg.Log, "%s ... (%.0f s so far)\n", strings.Join(m.names, ", "), time.Since(began).Seconds())
		rows, err := m.run(s, ctx)
		if err != nil {
			return r, fmt.Errorf("%s: %w", strings.Join(m.names, ", "), err)
		}
		r.Rows = append(r.Rows, slices.DeleteFunc(rows, func(row Row) bool { return !s.wants(row.Name) })...)
	}
	r.Seconds = time.Since(began).Seconds()
	return r, nil
}

// wants says whether a row was asked for.
func (s *stage) wants(row string) bool { return len(s.Only) == 0 || slices.Contains(s.Only, row) }

// room says how much disk the data will need, and refuses to begin without it.
func (s *stage) room() error {
	const loads = 2 << 30 // what the loads leave behind in one row, at most
	need := uint64(loads)
	if s.Quick {
		need = loads / 4
	}
	need += uint64(s.History)*parcelBytes + uint64(s.Consumers)*consumerBytes + uint64(s.Leaves)*leafBytes
	free, known := freeSpace(s.Dir)
	fmt.Fprintf(s.Log, "up to %.1f GB of temporary data in %s", float64(need)/1e9, s.Dir)
	if !known {
		fmt.Fprintln(s.Log)
		return nil
	}
	fmt.Fprintf(s.Log, ", of %.1f GB free\n", float64(free)/1e9)
	if s.Postgres == "" && free < need {
		return fmt.Errorf("%s has %.1f GB free, and %.1f GB are needed", s.Dir, float64(free)/1e9, float64(need)/1e9)
	}
	return nil
}

func machine() string {
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOOS + "/" + runtime.GOARCH
}

func postgresSettings(ctx context.Context, server string) (version string, settings []string, err error) {
	e, err := newEngine(server, nil)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if err := e.GetContext(ctx, &version, "show server_version"); err != nil {
		return "", nil, fmt.Errorf("--db: %w", err)
	}
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes", "shared_buffers"} {
		var value string
		if err := e.GetContext(ctx, &value, "select current_setting($1)", name); err != nil {
			return "", nil, fmt.Errorf("--db: %w", err)
		}
		settings = append(settings, name+" = "+value)
	}
	return "PostgreSQL " + version, []string{strings.Join(settings, ", ")}, nil
}

// pairs runs both sides in turns. What is slow to begin with warms up before the
// first.
func (s *stage) pairs(ctx context.Context, ours, theirs func(context.Context) (float64, error)) (list []Paired, err error) {
	for range s.Runs {
		var p Paired
		if p.Doorstep, err = ours(ctx); err != nil {
			return nil, err
		}
		if theirs != nil {
			if p.Reference, err = theirs(ctx); err != nil {
				return nil, err
			}
		}
		list = append(list, p)
	}
	return list, nil
}
