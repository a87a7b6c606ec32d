package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"doorstep"
)

// Nothing is known of most consumers that parcels go to. The wish index says so
// without a look at the tables: it is a filter in memory of those of whom
// something may be known.
//
// It is exact by numbers. Each transaction that changes wishes takes the next
// number, from a counter row that it locks until it commits, so the numbers
// stand in the order of the commits and without gaps. The index knows up to
// which number it has heard; a reader reads the newest number from the database
// together with what it asks for, and what the filter denied it believes only if
// the two are the same. So the index may be late or deaf, and an answer is still
// never older than the database.
//
// What this process commits is heard before it is acknowledged, what other nodes
// commit on PostgreSQL by notification. Whatever else there is - a notification
// that was lost, a command beside the server on SQLite - shows as a number that
// is not heard, and the index is built anew.
type wishIndex struct {
	// answering is the edition that readers ask; nil: the database knows alone.
	answering atomic.Pointer[wishEdition]

	mu       sync.Mutex   // orders what is heard
	building *wishEdition // the one that takes answering's place; nil: none

	due int64 // the newest change when the index was tended last; only tendWishIndex uses it
}

// wishEdition is one building of the index.
type wishEdition struct {
	*bloom
	heard  atomic.Int64 // every change up to this number is in the filter
	missed atomic.Int64 // a change that a reader saw in the database before it was heard

	// Guarded by the index.
	consumers int            // that were added; some perhaps more than once
	early     map[int64]bool // changes heard before one with a lower number
}

// mostEarly bounds the changes that wait for one with a lower number. More mean
// that it will not come.
const mostEarly = 4096

// unnumbered is what an edition has heard that does not know yet where it begins.
const unnumbered = -1

func newWishEdition(consumers int) *wishEdition {
	e := &wishEdition{bloom: newBloom(consumers), early: map[int64]bool{}}
	e.heard.Store(unnumbered)
	return e
}

// note takes up a change; changes may come in any order and more than once.
func (e *wishEdition) note(no int64, consumer doorstep.ConsumerID) {
	if no <= e.heard.Load() || len(e.early) >= mostEarly {
		return
	}
	e.add(consumer)
	e.consumers++
	e.early[no] = true
	e.proceed()
}

// begin says that the tables will be read as of a change or later.
func (e *wishEdition) begin(no int64) {
	e.heard.Store(no)
	for n := range e.early {
		if n <= no {
			delete(e.early, n)
		}
	}
	e.proceed()
}

func (e *wishEdition) proceed() {
	next := e.heard.Load() + 1
	for ; e.early[next]; next++ {
		delete(e.early, next)
	}
	e.heard.Store(next - 1)
}

// hear takes up a committed change.
func (x *wishIndex) hear(no int64, consumer doorstep.ConsumerID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range []*wishEdition{x.answering.Load(), x.building} {
		if e != nil {
			e.note(no, consumer)
		}
	}
}

// guess picks those of whom something may be known. ok is false where only the
// database can tell; else there is nothing about the others as of change no.
func (x *wishIndex) guess(consumers []doorstep.ConsumerID) (of *wishEdition, some []doorstep.ConsumerID, no int64, ok bool) {
	e := x.answering.Load()
	if e == nil {
		return nil, nil, 0, false
	}
	no = e.heard.Load() // before the filter: it has at least as much
	if e.missed.Load() > no {
		return nil, nil, 0, false
	}
	for _, c := range consumers {
		if e.mayHave(c) {
			some = append(some, c)
		}
	}
	return e, some, no, true
}

// doubt says that the newest change is another than the one that e had heard of.
func (x *wishIndex) doubt(e *wishEdition, heard, newest int64) {
	if newest < heard { // an older database took the place of the one that the index is of
		x.answering.CompareAndSwap(e, nil)
		return
	}
	for was := e.missed.Load(); was < newest && !e.missed.CompareAndSwap(was, newest); was = e.missed.Load() {
	}
}

// forget drops all editions. The server that a lost connection led to may come
// back as another one with fewer changes, whose numbers are then given again.
func (x *wishIndex) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.building = nil
	x.answering.Store(nil)
}

// wishCounter counts the changes of wishes.
const wishCounter = "wishes"

// numberWishes gives a change of wishes its number. It comes last in its
// transaction: on PostgreSQL all others wait for the commit.
func (db *DB) numberWishes(tx *Tx, consumer doorstep.ConsumerID) error {
	var no int64
	err := tx.get(&no, `insert into counter (name, value) values (?, 1)
on conflict (name) do update set value = counter.value + 1 returning value`, wishCounter)
	if err != nil {
		return fmt.Errorf("number a change of wishes: %w", err)
	}
	tx.afterCommit(func() { db.wishes.hear(no, consumer) })
	return db.notify(tx, encodeWishChange(no, consumer))
}

// wishMark sets a notification of changed wishes apart from one of couriers.
const wishMark = ":"

func encodeWishChange(no int64, consumer doorstep.ConsumerID) string {
	return strconv.FormatInt(no, 36) + wishMark + string(consumer)
}

func decodeWishChange(text string) (no int64, consumer doorstep.ConsumerID, ok bool) {
	number, id, ok := strings.Cut(text, wishMark)
	no, err := strconv.ParseInt(number, 36, 64)
	return no, doorstep.ConsumerID(id), ok && err == nil
}

// newestWishChange is the number of the last change of wishes; 0: there was none.
func (db *DB) newestWishChange(ctx context.Context) (no int64, err error) {
	err = db.get(ctx, &no, `select value from counter where name = ?`, wishCounter)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("newest change of wishes: %w", err)
	}
	return no, nil
}

const (
	// wishInterval is how often the index is tended. A notification that is older
	// is lost.
	wishInterval = time.Second

	// wishRest times as long as a building took, the index is then left alone: an
	// import beside the server would have it built all the time.
	wishRest = 10
)

// keepWishIndex tends the index until ctx ends.
func (db *DB) keepWishIndex(ctx context.Context, failed func(error)) {
	if err := db.loadWishIndex(ctx); err != nil {
		failed(err)
	}
	for {
		began := db.now()
		built, err := db.tendWishIndex(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			failed(err)
		}
		wait := wishInterval
		if built {
			wait = max(wait, wishRest*db.now().Sub(began))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// tendWishIndex builds the index if there is none, if it missed a change, or if
// it has grown too small. One call at a time.
func (db *DB) tendWishIndex(ctx context.Context) (built bool, err error) {
	x := &db.wishes
	e := x.answering.Load()
	var heard int64
	var crowded bool
	if e != nil {
		heard = e.heard.Load()
		x.mu.Lock()
		crowded = e.consumers > e.room()
		x.mu.Unlock()
	}
	newest, err := db.newestWishChange(ctx)
	if err != nil {
		return false, err
	}
	// What was there a pass ago should be heard by now.
	late := heard < x.due || newest < heard
	x.due = newest
	if e != nil && !late && !crowded {
		return false, nil
	}
	return true, db.buildWishIndex(ctx)
}

// buildWishIndex makes a new edition while the one before, or the database,
// answers.
func (db *DB) buildWishIndex(ctx context.Context) (err error) {
	x := &db.wishes
	consumers, err := db.countConsumers(ctx)
	if err != nil {
		return fmt.Errorf("index wishes: %w", err)
	}
	e := newWishEdition(consumers)
	x.mu.Lock()
	x.building = e
	x.mu.Unlock()
	defer func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		if err == nil && x.building == e {
			x.answering.Store(e)
		}
		x.building = nil
	}()
	no, err := db.newestWishChange(ctx)
	if err != nil {
		return err
	}
	x.mu.Lock()
	e.begin(no)
	x.mu.Unlock()
	found, err := db.eachConsumer(ctx, e.add)
	if err != nil {
		return fmt.Errorf("index wishes: %w", err)
	}
	x.mu.Lock()
	e.consumers += found
	x.mu.Unlock()
	return nil
}

// A reader that stayed would keep SQLite's log from emptying, so one statement of
// a building goes through so many consumers: some milliseconds each.
const (
	countedAtOnce = 1 << 16
	visitedAtOnce = 1 << 13
)

func (db *DB) countConsumers(ctx context.Context) (int, error) {
	return db.consumerPages(ctx, countedAtOnce, `''`, func(string) {})
}

// eachConsumer visits all who ever had wishes and says how many there are.
func (db *DB) eachConsumer(ctx context.Context, visit func(doorstep.ConsumerID)) (int, error) {
	// One row a page: to fetch the ids as rows takes five times as long.
	return db.consumerPages(ctx, visitedAtOnce, `coalesce(string_agg(consumer_id, ','), '')`, func(ids string) {
		for id := range strings.SplitSeq(ids, ",") {
			visit(doorstep.ConsumerID(id))
		}
	})
}

// consumerPages goes through the consumers in the order of their ids and hands
// on an aggregate of each page.
func (db *DB) consumerPages(ctx context.Context, size int, aggregate string, take func(string)) (n int, err error) {
	var page struct {
		Found int
		Last  string
		Sum   string
	}
	for {
		err := db.get(ctx, &page, `select count(*) as found, coalesce(max(consumer_id), '') as last, `+aggregate+` as sum
from (select consumer_id from consumer where consumer_id > ? order by consumer_id limit ?) as page`, page.Last, size)
		if err != nil {
			return n, err
		}
		if page.Found == 0 {
			return n, nil
		}
		take(page.Sum)
		n += page.Found
	}
}
