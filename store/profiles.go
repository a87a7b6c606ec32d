package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep"
	"doorstep/prefs"
)

// mostLookedUp is how many consumers' profiles one statement of the look-up
// reads for calls that wait together. A call that asks for more asks alone.
const mostLookedUp = 256

// lookup reads profiles for calls that wait together in one statement: many
// small dispatches cost as much as one large.
type lookup struct {
	line[*lookupCall]
	read func(context.Context, []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error)
}

type lookupCall struct {
	consumers []doorstep.ConsumerID
	profiles  map[doorstep.ConsumerID]prefs.Profile
}

const (
	lookers  = 2                // statements at once
	lookTime = 10 * time.Second // for each, since none has a caller's patience
)

func newLookup(read func(context.Context, []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error)) *lookup {
	l := &lookup{read: read}
	l.mayLeave = true
	l.open(lookers, func(first *queued[*lookupCall]) { l.answer(l.gather(first)) })
	return l
}

func (l *lookup) find(ctx context.Context, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error) {
	if len(consumers) > mostLookedUp/4 {
		return l.read(ctx, consumers)
	}
	call := &lookupCall{consumers: consumers}
	if err := l.do(ctx, call); err != nil {
		return nil, err
	}
	return call.profiles, nil
}

// gather takes whoever waits already.
func (l *lookup) gather(first *queued[*lookupCall]) []*queued[*lookupCall] {
	calls := []*queued[*lookupCall]{first}
	for total := len(first.call.consumers); total < mostLookedUp; {
		q, ok := l.next()
		if !ok {
			break
		}
		calls, total = append(calls, q), total+len(q.call.consumers)
	}
	return calls
}

// answer reads for all. Each call gets the profiles of the others, too; it looks
// up its own.
func (l *lookup) answer(calls []*queued[*lookupCall]) {
	var consumers []doorstep.ConsumerID
	for _, q := range calls {
		consumers = append(consumers, q.call.consumers...)
	}
	slices.Sort(consumers)
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	profiles, err := l.read(ctx, slices.Compact(consumers))
	for _, q := range calls {
		q.call.profiles = profiles
		q.answer(err)
	}
}

type profileRow struct {
	Consumer doorstep.ConsumerID `db:"consumer_id"`
	Part     string
	Tag      prefs.Tag
	Scope    string // of a preference; of evidence its person
	State    string // of a preference; of evidence its sign
	SourceID string `db:"source_id"` // of evidence, as what follows
	Category string
	Waybill  string
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
	of, some, heard, ok := db.wishes.guess(consumers)
	if !ok {
		return db.profilesInParts(ctx, consumers, nil)
	}
	newest := heard
	profiles, err := db.profilesInParts(ctx, some, func(no int64) {
		if no != heard {
			newest = no
		}
	})
	if err != nil || newest == heard {
		return profiles, err
	}
	db.wishes.doubt(of, heard, newest)
	return db.profilesInParts(ctx, consumers, nil)
}

// A page that is not in memory takes a hundred times as long as one that is, and
// a disk reads several at once: many consumers are looked up in parts, side by
// side.
const (
	consumersAPart = 32
	partsAtOnce    = 4
)

// profilesInParts reads profiles and, if asked, tells of each part the number of
// the newest change of wishes.
func (db *DB) profilesInParts(ctx context.Context, consumers []doorstep.ConsumerID, newest func(no int64)) (map[doorstep.ConsumerID]prefs.Profile, error) {
	read := db.lister(ctx)
	one := func(part []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, int64, error) {
		if newest != nil {
			return db.profilesAsOf(read, part)
		}
		profiles, err := db.profiles(read, part)
		return profiles, 0, err
	}
	if len(consumers) <= consumersAPart || db.name == postgres.name {
		profiles, no, err := one(consumers)
		if err == nil && newest != nil {
			newest(no)
		}
		return profiles, err
	}
	var mu sync.Mutex
	all := make(map[doorstep.ConsumerID]prefs.Profile)
	var work errgroup.Group
	work.SetLimit(partsAtOnce)
	size := max(consumersAPart, (len(consumers)+partsAtOnce-1)/partsAtOnce)
	for part := range slices.Chunk(consumers, size) {
		work.Go(func() error {
			profiles, no, err := one(part)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(all, profiles)
			if newest != nil {
				newest(no)
			}
			return nil
		})
	}
	err := work.Wait()
	return all, err
}

// selectProfiles looks for most consumers into one table only: whoever has
// wishes has a row in it. What is paused at a consumer's carrier comes with him.
const selectProfiles = `
with known as materialized (select consumer_id, company_no, learning, updated_at_ms from consumer where consumer_id%s)
select consumer_id, 'said' as part, tag, scope, state, '' as source_id, '' as category, '' as waybill, '' as address_id, 0.0 as weight, set_at_ms as at_ms
from preference where consumer_id in (select consumer_id from known)
union all select consumer_id, 'taught', tag, person, sign, source_id, category, waybill, address_id, weight, at_ms
from tag_evidence where consumer_id in (select consumer_id from known)
union all select consumer_id, 'unteachable', '', '', '', '', '', '', '', 0.0, updated_at_ms
from known where learning = 0
union all select k.consumer_id, 'paused', l.tag, '', '', '', '', '', '', 0.0, l.paused_at_ms
from known k join tag_learning l on l.company_no = k.company_no where l.paused_at_ms is not null`

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
union all select '', 'newest', '', '', '', '', '', '', '', 0.0, value from counter where name = ?`, list, wishCounter)
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
			p.Preferences = append(p.Preferences, prefs.Preference{Scope: prefs.Scope(r.Scope), Tag: r.Tag, On: r.State == "on", SetAt: fromMS(r.AtMS)})
		case "taught":
			p.Evidence = append(p.Evidence, prefs.Evidence{
				Tag: r.Tag, Sign: prefs.Sign(r.State), SourceID: r.SourceID, Category: r.Category, Waybill: r.Waybill,
				AddressID: r.Address, By: r.Scope, Weight: r.Weight, At: fromMS(r.AtMS),
			})
		case "paused":
			p.Paused = append(p.Paused, r.Tag)
		default:
			p.LearningOff = true
		}
		profiles[r.Consumer] = p
	}
	for _, p := range profiles {
		prefs.SortEvidence(p.Evidence) // once, not for each parcel
	}
	return profiles, newest
}
