package store

import (
	"context"
	"fmt"
	"slices"

	"doorstep"
	"doorstep/prefs"
)

// mostLookedUp is how many consumers' profiles one statement of the look-up
// reads for calls that wait together. A call that asks for more asks alone.
const mostLookedUp = 256

// lookup reads profiles for calls that wait together in one statement: many
// small dispatches cost as much as one large.
type lookup struct {
	read    func(context.Context, []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error)
	waiting chan *lookupCall
	closing chan struct{}
}

type lookupCall struct {
	consumers []doorstep.ConsumerID
	profiles  map[doorstep.ConsumerID]prefs.Profile
	err       error
	answer    chan struct{}
}

// lookers is how many statements run at once.
const lookers = 2

func newLookup(read func(context.Context, []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error)) *lookup {
	l := &lookup{read: read, waiting: make(chan *lookupCall, mostLookedUp), closing: make(chan struct{})}
	for range lookers {
		go l.loop()
	}
	return l
}

func (l *lookup) find(ctx context.Context, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error) {
	if len(consumers) > mostLookedUp/4 {
		return l.read(ctx, consumers)
	}
	call := &lookupCall{consumers: consumers, answer: make(chan struct{})}
	select {
	case l.waiting <- call:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.closing:
		return nil, errClosed
	}
	select {
	case <-call.answer:
		return call.profiles, call.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.closing:
		return nil, errClosed
	}
}

func (l *lookup) close() { close(l.closing) }

func (l *lookup) loop() {
	for {
		select {
		case call := <-l.waiting:
			l.answer(l.gather(call))
		case <-l.closing:
			return
		}
	}
}

// gather takes whoever waits already.
func (l *lookup) gather(first *lookupCall) []*lookupCall {
	calls, total := []*lookupCall{first}, len(first.consumers)
	for total < mostLookedUp {
		select {
		case call := <-l.waiting:
			calls, total = append(calls, call), total+len(call.consumers)
		default:
			return calls
		}
	}
	return calls
}

// answer reads for all. Each call gets the profiles of the others, too; it looks
// up its own.
func (l *lookup) answer(calls []*lookupCall) {
	var consumers []doorstep.ConsumerID
	for _, c := range calls {
		consumers = append(consumers, c.consumers...)
	}
	slices.Sort(consumers)
	profiles, err := l.read(context.Background(), slices.Compact(consumers))
	for _, c := range calls {
		c.profiles, c.err = profiles, err
		close(c.answer)
	}
}

type profileRow struct {
	Consumer doorstep.ConsumerID `db:"consumer_id"`
	Part     string
	Tag      prefs.Tag
	Scope    prefs.Scope // of a preference
	State    string      // of a preference
	SourceID string      `db:"source_id"` // of evidence, as what follows
	Category string
	Address  string `db:"address_id"`
	Weight   float64
	AtMS     int64 `db:"at_ms"` // of the newest change its number
}

// Profiles reads what decides about many consumers' deliveries, mostly in one
// statement. It may know of others', too.
func (db *DB) Profiles(ctx context.Context, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error) {
	if len(consumers) == 0 {
		return nil, nil
	}
	return db.lookup.find(ctx, consumers)
}

// readProfiles asks the tables only about consumers of whom the index says that
// something may be known.
func (db *DB) readProfiles(ctx context.Context, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error) {
	read := db.lister(ctx)
	of, some, heard, ok := db.wishes.guess(consumers)
	if !ok {
		return db.profiles(read, consumers)
	}
	profiles, newest, err := db.profilesAsOf(read, some)
	if err != nil || newest == heard {
		return profiles, err
	}
	db.wishes.doubt(of, heard, newest)
	return db.profiles(read, consumers)
}

// selectProfiles looks for most consumers into one table only: whoever has
// wishes has a row in it.
const selectProfiles = `
with known as materialized (select consumer_id, learning, updated_at_ms from consumer where consumer_id%s)
select consumer_id, 'said' as part, tag, scope, state, '' as source_id, '' as category, '' as address_id, 0.0 as weight, set_at_ms as at_ms
from preference where consumer_id in (select consumer_id from known)
union all select consumer_id, 'taught', tag, '', '', source_id, category, address_id, weight, at_ms
from tag_evidence where consumer_id in (select consumer_id from known)
union all select consumer_id, 'unteachable', '', '', '', '', '', '', 0.0, updated_at_ms
from known where learning = 0`

func (db *DB) profiles(read lister, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error) {
	list := db.consumerList(consumers)
	var rows []profileRow
	if err := read(&rows, fmt.Sprintf(selectProfiles, db.inList), list); err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	profiles, _ := profilesOf(rows)
	return profiles, nil
}

// profilesAsOf reads profiles and, in the same statement, the number of the
// newest change of wishes.
func (db *DB) profilesAsOf(read lister, consumers []doorstep.ConsumerID) (profiles map[doorstep.ConsumerID]prefs.Profile, newest int64, err error) {
	var rows []profileRow
	if len(consumers) == 0 {
		err = read(&rows, `select 'newest' as part, value as at_ms from counter where name = ?`, wishCounter)
	} else {
		list := db.consumerList(consumers)
		err = read(&rows, fmt.Sprintf(selectProfiles, db.inList)+`
union all select '', 'newest', '', '', '', '', '', '', 0.0, value from counter where name = ?`, list, wishCounter)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("profiles: %w", err)
	}
	profiles, newest = profilesOf(rows)
	return profiles, newest, nil
}

func (db *DB) consumerList(consumers []doorstep.ConsumerID) any {
	ids := make([]string, len(consumers))
	for i, c := range consumers {
		ids[i] = string(c)
	}
	return db.asList(ids)
}

// profilesOf puts rows together.
func profilesOf(rows []profileRow) (profiles map[doorstep.ConsumerID]prefs.Profile, newest int64) {
	profiles = make(map[doorstep.ConsumerID]prefs.Profile, len(rows))
	for _, r := range rows {
		if r.Part == "newest" {
			newest = r.AtMS
			continue
		}
		p := profiles[r.Consumer]
		switch r.Part {
		case "said":
			p.Preferences = append(p.Preferences, prefs.Preference{Scope: r.Scope, Tag: r.Tag, On: r.State == "on", SetAt: fromMS(r.AtMS)})
		case "taught":
			p.Evidence = append(p.Evidence, prefs.Evidence{
				Tag: r.Tag, SourceID: r.SourceID, Category: r.Category, AddressID: r.Address, Weight: r.Weight, At: fromMS(r.AtMS),
			})
		default:
			p.LearningOff = true
		}
		profiles[r.Consumer] = p
	}
	return profiles, newest
}
