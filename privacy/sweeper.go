package privacy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"doorstep"
)

// Mark is how far an outlet's records have been looked through for one class.
type Mark struct {
	Outlet doorstep.OutletNo `db:"outlet_no"`
	Class  Class
	After  string    // the id of the last record that was looked at
	Due    time.Time // when the next one is past its time
}

// Swept is what one batch came to. A dry run counts the same.
type Swept struct {
	Next   Mark // where the next batch begins
	Gone   int  // records whose values went, or rows
	Spared int  // parcels left alone for a complaint or a hold
	More   bool // the next batch is due already
}

// Batch says what a batch is to take.
type Batch struct {
	Now   time.Time
	Keep  time.Duration // of the mark's class
	Limit int           // records looked at
	Dry   bool          // look, and leave all as it is
}

// SweepStore is what a Sweeper needs kept.
type SweepStore interface {
	// MarkOutlets gives every outlet a mark of each class, and every company one for
	// what belongs to none of its outlets.
	MarkOutlets(ctx context.Context, classes []Class, now time.Time) error
	// DueMarks lists marks that are due, the longest waiting first.
	DueMarks(ctx context.Context, now time.Time, limit int) ([]Mark, error)
	// SweepRecords looks at an outlet's next records and erases those that are
	// past their time. Another node that has the mark leaves nothing to do.
	SweepRecords(ctx context.Context, m Mark, b Batch) (Swept, error)
	// SparedParcels lists parcels that were spared and are to be looked at again.
	SparedParcels(ctx context.Context, now time.Time, limit int) ([]Parcel, error)
	// SweepParcel erases what is past the batch's time of a parcel whose complaints
	// were closed at or before a time and that nobody holds, or notes when to look
	// again.
	SweepParcel(ctx context.Context, p Parcel, closedBefore, again time.Time, b Batch) (Swept, error)
	// SweepUndispatched forgets whose the parcels of an outlet were that never
	// went out.
	SweepUndispatched(ctx context.Context, outlet doorstep.OutletNo, before time.Time, b Batch) (Swept, error)
	// SweepLessons deletes what was learned at or before a time.
	SweepLessons(ctx context.Context, before time.Time, b Batch) (Swept, error)
	// SweepReports empties raw reports of providers that were received at or
	// before a time, deletes masked numbers that were good until then, and forgets
	// when providers were heard at or before another time.
	SweepReports(ctx context.Context, before, heardBefore time.Time, b Batch) (Swept, error)
	// SweepTokens deletes tokens that expired at or before a time.
	SweepTokens(ctx context.Context, before time.Time, b Batch) (Swept, error)
	// Scrub sees to it that what was erased is in no file of the database.
	Scrub(ctx context.Context) error
}

// Sweeper erases what is past its time. Any number may share a database.
type Sweeper struct {
	Store SweepStore
	// Photos deletes the bytes of photos that were erased, and says how many;
	// photos.Album.Sweep does.
	Photos func(context.Context) (int, error)
	Now    func() time.Time
	Log    *slog.Logger
}

const (
	sweepInterval = time.Hour
	sweepBatch    = 200 // records; on SQLite everybody's writes wait for a batch
	sweepMarks    = 64  // outlets a pass, the longest waiting first
	sparedAgain   = 7 * day
)

// marked are the classes whose records are gone through outlet by outlet.
var marked = []Class{Records, Positions, Accesses, Parcels}

// unmarked are the classes whose rows are found by their age.
var unmarked = []struct {
	class Class
	sweep func(SweepStore, context.Context, time.Time, Batch) (Swept, error)
}{
	{Lessons, func(s SweepStore, ctx context.Context, now time.Time, b Batch) (Swept, error) {
		return s.SweepLessons(ctx, now.Add(-RuleOf(Lessons).Keep), b)
	}},
	{Reports, func(s SweepStore, ctx context.Context, now time.Time, b Batch) (Swept, error) {
		// When a provider was heard tells whether its feed was healthy: as long as there are files that ask.
		return s.SweepReports(ctx, now.Add(-RuleOf(Reports).Keep), now.Add(-RuleOf(Records).Keep-RuleOf(Cases).Keep), b)
	}},
	{Tokens, func(s SweepStore, ctx context.Context, now time.Time, b Batch) (Swept, error) {
		return s.SweepTokens(ctx, now.Add(-RuleOf(Tokens).Keep), b)
	}},
}

// sweepPhotos deletes the bytes of photos that were erased, until none is left.
func sweepPhotos(ctx context.Context, sweep func(context.Context) (int, error)) error {
	for {
		n, err := sweep(ctx)
		if err != nil {
			return fmt.Errorf("photos: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}

// Run repeats Sweep until ctx ends.
func (s *Sweeper) Run(ctx context.Context) error {
	return doorstep.Repeat(ctx, sweepInterval, s.pass, func(err error) {
		s.Log.ErrorContext(ctx, "retention", "error", err)
	})
}

func (s *Sweeper) pass(ctx context.Context) (int, error) {
	report, more, err := s.Sweep(ctx)
	if report.Gone() > 0 {
		s.Log.InfoContext(ctx, "retention", "report", report)
	}
	if more {
		return 1, err
	}
	return 0, err
}

// Report counts what went, or would go, by class.
type Report map[Class]Count

// Count is what a class came to.
type Count struct {
	Gone   int `json:"gone"`
	Spared int `json:"spared"`
}

// Gone is the sum over the classes.
func (r Report) Gone() (n int) {
	for _, c := range r {
		n += c.Gone
	}
	return n
}

func (r Report) add(c Class, s Swept) {
	count := r[c]
	r[c] = Count{Gone: count.Gone + s.Gone, Spared: count.Spared + s.Spared}
}

// Sweep makes one pass, of a batch a mark, and says whether more is due.
func (s *Sweeper) Sweep(ctx context.Context) (report Report, more bool, err error) {
	report = Report{}
	now := s.Now()
	if err := s.Store.MarkOutlets(ctx, marked, now); err != nil {
		return report, false, fmt.Errorf("marks: %w", err)
	}
	marks, err := s.Store.DueMarks(ctx, now, sweepMarks)
	if err != nil {
		return report, false, fmt.Errorf("due marks: %w", err)
	}
	var failures []error
	took := func(c Class, swept Swept, err error) {
		report.add(c, swept)
		more = more || swept.More
		if err != nil {
			failures = append(failures, fmt.Errorf("sweep %s: %w", c, err))
		}
	}
	for _, m := range marks {
		swept, err := s.sweepMark(ctx, m, now, false)
		took(m.Class, swept, err)
	}
	parcels, err := s.Store.SparedParcels(ctx, now, sweepMarks)
	if err != nil {
		return report, more, fmt.Errorf("spared parcels: %w", err)
	}
	for _, p := range parcels {
		swept, err := s.sweepParcel(ctx, p, now, false)
		took(Cases, swept, err)
	}
	b := Batch{Now: now, Limit: sweepBatch}
	for _, c := range unmarked {
		swept, err := c.sweep(s.Store, ctx, now, b)
		took(c.class, swept, err)
	}
	failures = append(failures, sweepPhotos(ctx, s.Photos), s.Store.Scrub(ctx))
	return report, more || len(marks) == sweepMarks || len(parcels) == sweepMarks, errors.Join(failures...)
}

func (s *Sweeper) sweepMark(ctx context.Context, m Mark, now time.Time, dry bool) (Swept, error) {
	rule := RuleOf(m.Class)
	b := Batch{Now: now, Keep: rule.Keep, Limit: sweepBatch, Dry: dry}
	if m.Class == Parcels {
		return s.Store.SweepUndispatched(ctx, m.Outlet, now.Add(-rule.Keep), b)
	}
	return s.Store.SweepRecords(ctx, m, b)
}

func (s *Sweeper) sweepParcel(ctx context.Context, p Parcel, now time.Time, dry bool) (Swept, error) {
	return s.Store.SweepParcel(ctx, p, now.Add(-RuleOf(Cases).Keep), now.Add(sparedAgain),
		Batch{Now: now, Keep: RuleOf(Records).Keep, Limit: sweepBatch, Dry: dry})
}

// SweepAll makes passes until nothing is due.
func (s *Sweeper) SweepAll(ctx context.Context) (Report, error) {
	total := Report{}
	for {
		report, more, err := s.Sweep(ctx)
		for c, n := range report {
			total.add(c, Swept{Gone: n.Gone, Spared: n.Spared})
		}
		if err != nil || !more {
			return total, err
		}
	}
}

// everything is more marks than there are: a dry run leaves all of them due.
const everything = 1 << 20

// DryRun counts what SweepAll would erase, and changes nothing but the marks
// that new outlets get.
func (s *Sweeper) DryRun(ctx context.Context) (Report, error) {
	report, now := Report{}, s.Now()
	if err := s.Store.MarkOutlets(ctx, marked, now); err != nil {
		return nil, fmt.Errorf("marks: %w", err)
	}
	marks, err := s.Store.DueMarks(ctx, now, everything)
	if err != nil {
		return nil, fmt.Errorf("due marks: %w", err)
	}
	for _, m := range marks {
		for more := true; more; {
			swept, err := s.sweepMark(ctx, m, now, true)
			if err != nil {
				return nil, fmt.Errorf("outlet %d, %s: %w", m.Outlet, m.Class, err)
			}
			report.add(m.Class, swept)
			m, more = swept.Next, swept.More
		}
	}
	parcels, err := s.Store.SparedParcels(ctx, now, everything)
	if err != nil {
		return nil, fmt.Errorf("spared parcels: %w", err)
	}
	for _, p := range parcels {
		swept, err := s.sweepParcel(ctx, p, now, true)
		if err != nil {
			return nil, fmt.Errorf("spared parcel: %w", err)
		}
		report.add(Cases, swept)
	}
	b := Batch{Now: now, Limit: sweepBatch, Dry: true}
	for _, c := range unmarked {
		swept, err := c.sweep(s.Store, ctx, now, b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.class, err)
		}
		report.add(c.class, swept)
	}
	return report, nil
}
