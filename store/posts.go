package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"doorstep"
	"doorstep/parcels"
)

// postMemory is how long another node's change of an outlet's time zone may go
// unnoticed. Everything else that is remembered never changes.
const postMemory = time.Second

// maxPosts bounds what is remembered: outlets, couriers, and who works where, of
// each so many.
const maxPosts = 100_000

// postBook remembers the outlets and couriers that dispatches name, so that
// they need not be read for each.
type postBook struct {
	mu       sync.RWMutex
	outlets  map[postKey]rememberedOutlet
	couriers map[postKey]parcels.CourierPost
	works    map[work]bool
}

type postKey struct {
	company doorstep.CompanyNo
	id      string
}

type rememberedOutlet struct {
	parcels.OutletPost
	readAt time.Time
}

// work is a courier at an outlet.
type work struct {
	CourierNo int64             `db:"courier_no"`
	OutletNo  doorstep.OutletNo `db:"outlet_no"`
}

func (b *postBook) recall(company doorstep.CompanyNo, outlets []string, works map[string][]string, now time.Time) knownPosts {
	k := newKnownPosts(len(outlets), len(works))
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, id := range outlets {
		// A clock set back must not stretch the memory.
		if o, ok := b.outlets[postKey{company, id}]; ok && !now.Before(o.readAt) && now.Sub(o.readAt) < postMemory {
			k.Outlets[id] = o.OutletPost
		}
	}
	for id, at := range works {
		c, ok := b.couriers[postKey{company, id}]
		if !ok {
			continue
		}
		k.Couriers[id] = c
		for _, outlet := range at {
			if w := (work{c.No, k.Outlets[outlet].No}); b.works[w] {
				k.worked[w] = true
			}
		}
	}
	return k
}

func (b *postBook) remember(company doorstep.CompanyNo, k knownPosts, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.outlets == nil || len(b.outlets) > maxPosts {
		b.outlets = map[postKey]rememberedOutlet{}
	}
	for id, o := range k.Outlets {
		b.outlets[postKey{company, id}] = rememberedOutlet{o, now}
	}
	if b.couriers == nil || len(b.couriers) > maxPosts {
		b.couriers = map[postKey]parcels.CourierPost{}
	}
	for id, c := range k.Couriers {
		b.couriers[postKey{company, id}] = c
	}
	if b.works == nil || len(b.works) > maxPosts {
		b.works = map[work]bool{}
	}
	for w := range k.worked {
		b.works[w] = true
	}
}

func (b *postBook) forget(company doorstep.CompanyNo, outlet string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.outlets, postKey{company, outlet})
}

// courierOrNew finds the courier behind a token and makes him bare if nobody
// has named him yet: his phone may register before his first dispatch.
func (db *DB) courierOrNew(ctx context.Context, a doorstep.Actor) (parcels.CourierPost, error) {
	posts, err := db.Posts(ctx, a.Company, nil, map[string][]string{a.Courier: nil})
	return posts.Couriers[a.Courier], err
}

// Posts finds the outlets and couriers that a batch names and makes the missing
// ones bare.
func (db *DB) Posts(ctx context.Context, company doorstep.CompanyNo, outlets []string, works map[string][]string) (parcels.Posts, error) {
	now := db.now()
	if k := db.posts.recall(company, outlets, works, now); k.complete(outlets, works) {
		return k.Posts, nil
	}
	k, err := db.readPosts(ctx, company, outlets, works)
	if err != nil {
		return parcels.Posts{}, fmt.Errorf("outlets and couriers: %w", err)
	}
	if !k.complete(outlets, works) {
		err := db.inTx(ctx, func(tx *Tx) error { return db.addPosts(tx, company, k, outlets, works) })
		if err != nil {
			return parcels.Posts{}, fmt.Errorf("new outlets and couriers: %w", err)
		}
		if k, err = db.readPosts(ctx, company, outlets, works); err != nil {
			return parcels.Posts{}, fmt.Errorf("outlets and couriers: %w", err)
		}
	}
	db.posts.remember(company, k, now)
	return k.Posts, nil
}

// knownPosts is what is known of a batch's names.
type knownPosts struct {
	parcels.Posts
	worked map[work]bool
}

func newKnownPosts(outlets, couriers int) knownPosts {
	return knownPosts{
		Posts:  parcels.Posts{Outlets: make(map[string]parcels.OutletPost, outlets), Couriers: make(map[string]parcels.CourierPost, couriers)},
		worked: make(map[work]bool, couriers),
	}
}

func (k knownPosts) complete(outlets []string, works map[string][]string) bool {
	return len(k.Outlets) == len(outlets) && len(k.Couriers) == len(works) && len(k.newWorks(works)) == 0
}

// newWorks lists, sorted, where couriers work for the first time.
func (k knownPosts) newWorks(works map[string][]string) (list []work) {
	for courier, outlets := range works {
		for _, outlet := range outlets {
			w := work{k.Couriers[courier].No, k.Outlets[outlet].No}
			if !k.worked[w] {
				list = append(list, w)
			}
		}
	}
	slices.SortFunc(list, func(a, b work) int {
		return cmp.Or(cmp.Compare(a.CourierNo, b.CourierNo), cmp.Compare(a.OutletNo, b.OutletNo))
	})
	return list
}

type outletPostRow struct {
	No       doorstep.OutletNo
	ID       string
	TimeZone string `db:"time_zone"`
}

const selectOutletPosts = `select no, id, time_zone from outlet where company_no = ? and id`

type courierPostRow struct {
	No   int64
	ID   string
	Home doorstep.OutletNo `db:"home_no"`
}

const selectCourierPosts = `select no, id, home_no from courier where company_no = ? and id`

func (db *DB) readPosts(ctx context.Context, company doorstep.CompanyNo, outlets []string, works map[string][]string) (knownPosts, error) {
	k := newKnownPosts(len(outlets), len(works))
	if len(outlets) > 0 {
		var rows []outletPostRow
		if err := db.list(ctx, &rows, selectOutletPosts+db.inList, company, db.asList(outlets)); err != nil {
			return k, err
		}
		for _, r := range rows {
			zone, err := zoneOf(r.No, r.TimeZone)
			if err != nil {
				return k, err
			}
			k.Outlets[r.ID] = parcels.OutletPost{No: r.No, Zone: zone}
		}
	}
	if len(works) == 0 {
		return k, nil
	}
	var rows []courierPostRow
	if err := db.list(ctx, &rows, selectCourierPosts+db.inList, company, db.asList(keys(works))); err != nil {
		return k, err
	}
	numbers := make([]int64, 0, len(rows))
	for _, r := range rows {
		k.Couriers[r.ID] = parcels.CourierPost{No: r.No, Home: r.Home}
		numbers = append(numbers, r.No)
	}
	var worked []work
	if err := db.list(ctx, &worked, `select courier_no, outlet_no from courier_outlet where courier_no`+db.inList, db.asList(numbers)); err != nil {
		return k, err
	}
	for _, w := range worked {
		k.worked[w] = true
	}
	return k, nil
}

// addPosts makes what is missing. Another batch may make the same at the same
// moment: whoever is second leaves the first's row alone.
func (db *DB) addPosts(tx *Tx, company doorstep.CompanyNo, have knownPosts, outlets []string, works map[string][]string) error {
	now := db.now()
	var missing []string
	for _, id := range outlets {
		if _, ok := have.Outlets[id]; !ok {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		last, err := draw(tx, len(missing))
		if err != nil {
			return err
		}
		rows := make([][]any, len(missing))
		for i, id := range missing {
			rows[i] = []any{last - int64(i), company, id, "", db.timeZone, "{}", parcels.Locales[0], ms(now), ms(now)}
		}
		err = tx.insert(`insert into outlet (no, company_no, id, name, time_zone, hours, locale, created_at_ms, updated_at_ms)`,
			`on conflict (company_no, id) do nothing`, rows)
		if err != nil {
			return err
		}
	}
	var found []outletPostRow
	if err := tx.list(&found, selectOutletPosts+db.inList, company, db.asList(nonNil(outlets))); err != nil {
		return err
	}
	for _, r := range found {
		have.Outlets[r.ID] = parcels.OutletPost{No: r.No}
	}
	var fresh []newCourier
	for _, id := range keys(works) {
		if _, ok := have.Couriers[id]; !ok {
			c := newCourier{id: id, locale: parcels.Locales[0]}
			if len(works[id]) > 0 {
				c.outlet = have.Outlets[works[id][0]].No
			}
			fresh = append(fresh, c)
		}
	}
	if len(fresh) > 0 {
		if err := addCouriers(tx, company, fresh, now, `on conflict (company_no, id) do nothing`); err != nil {
			return err
		}
		var couriers []courierPostRow
		if err := tx.list(&couriers, selectCourierPosts+db.inList, company, db.asList(keys(works))); err != nil {
			return err
		}
		for _, r := range couriers {
			have.Couriers[r.ID] = parcels.CourierPost{No: r.No, Home: r.Home}
		}
	}
	var rows [][]any
	for _, w := range have.newWorks(works) {
		rows = append(rows, []any{w.CourierNo, w.OutletNo})
	}
	return tx.insert(`insert into courier_outlet (courier_no, outlet_no)`, `on conflict do nothing`, rows)
}
