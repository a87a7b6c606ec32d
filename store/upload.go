package store

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"doorstep"
	"doorstep/evidence"
)

// CourierParcels finds which of the waybills were ever dispatched to the
// courier, at the outlet that did so last, and which uploads are kept already.
func (db *DB) CourierParcels(ctx context.Context, a doorstep.Actor, waybills []doorstep.Waybill, clientIDs []string) (evidence.CourierParcels, error) {
	mine := evidence.CourierParcels{Outlets: make(map[doorstep.Waybill]doorstep.OutletNo, len(waybills))}
	var err error
	if mine.CourierNo, err = db.courierNo(ctx, a); err != nil {
		return mine, fmt.Errorf("courier: %w", err)
	}
	outlets, err := db.outletsOf(ctx, mine.CourierNo)
	if err != nil {
		return mine, fmt.Errorf("courier's outlets: %w", err)
	}
	list := db.asList(waybills)
	latest := make(map[doorstep.Waybill]int64, len(waybills))
	for _, outlet := range outlets {
		if err := db.parcelsAt(ctx, outlet, &mine, latest, list); err != nil {
			return mine, fmt.Errorf("courier's parcels: %w", err)
		}
	}
	if len(outlets) < 2 { // what he sent before can be nowhere else than where his parcels are
		return mine, nil
	}
	mine.Kept = map[string]doorstep.OutletNo{}
	for _, outlet := range outlets {
		kept, err := db.keptUploads(db.lister(ctx), outlet, mine.CourierNo, clientIDs)
		if err != nil {
			return mine, err
		}
		for id := range kept {
			mine.Kept[id] = outlet
		}
	}
	return mine, nil
}

// parcelsAt adds the parcels that one outlet dispatched to the courier, where no
// other did so later.
func (db *DB) parcelsAt(ctx context.Context, outlet doorstep.OutletNo, mine *evidence.CourierParcels, latest map[doorstep.Waybill]int64, waybills any) error {
	var found []struct {
		Waybill doorstep.Waybill
		LastMS  int64 `db:"last_ms"`
	}
	err := db.list(ctx, &found, `select waybill, max(dispatched_at_ms) as last_ms from dispatch
where outlet_no = ? and courier_no = ? and waybill`+db.inList+` group by waybill`, outlet, mine.CourierNo, waybills)
	for _, f := range found {
		if was, ok := latest[f.Waybill]; !ok || f.LastMS > was {
			mine.Outlets[f.Waybill], latest[f.Waybill] = outlet, f.LastMS
		}
	}
	return err
}

// uploadCall is what one courier's phone sent in one request to one outlet.
type uploadCall struct {
	outlet    doorstep.OutletNo
	courierNo int64
	facts     []sealedFact          // sorted by the phone's own ids
	rows      [][]any               // of the facts
	kept      map[string]keptUpload // by the phone's own id; nil: all were new
}

// uploadKey tells uploads apart.
type uploadKey struct {
	outlet    doorstep.OutletNo
	courierNo int64
	clientID  string
}

func (c *uploadCall) keys() iter.Seq[uploadKey] {
	return func(yield func(uploadKey) bool) {
		for _, f := range c.facts {
			if !yield(uploadKey{c.outlet, c.courierNo, f.ClientID}) {
				return
			}
		}
	}
}

// AddUploads adds what one courier's phone sent, one transaction an outlet.
func (db *DB) AddUploads(ctx context.Context, facts []evidence.Fact) ([]evidence.Verdict, error) {
	sealed, err := db.sealFacts(facts)
	if err != nil {
		return nil, err
	}
	byOutlet := map[doorstep.OutletNo]*uploadCall{}
	for _, f := range sealed {
		call := byOutlet[f.Outlet]
		if call == nil {
			call = &uploadCall{outlet: f.Outlet, courierNo: f.CourierNo}
			byOutlet[f.Outlet] = call
		}
		call.facts = append(call.facts, f)
	}
	for _, call := range byOutlet {
		call.prepare()
		if db.uploads != nil {
			err = db.uploads.do(ctx, call)
		} else {
			err = db.addUploads(ctx, []*uploadCall{call})
		}
		if err != nil {
			return nil, fmt.Errorf("%w: uploads: %w", doorstep.ErrUnavailable, err)
		}
	}
	verdicts := make([]evidence.Verdict, len(sealed))
	for i, f := range sealed {
		verdicts[i] = byOutlet[f.Outlet].verdict(f)
	}
	return verdicts, nil
}

// prepare does what can be done before the writer's turn. Of two records with the
// same id the first is written.
func (c *uploadCall) prepare() {
	slices.SortStableFunc(c.facts, func(a, b sealedFact) int { return cmp.Compare(a.ClientID, b.ClientID) })
	c.rows = make([][]any, len(c.facts))
	for i, f := range c.facts {
		c.rows[i] = f.row()
	}
}

var errOtherContent = &doorstep.ConflictError{Code: "conflict", Detail: "a record with this id and other content is kept already"}

func (c *uploadCall) verdict(f sealedFact) evidence.Verdict {
	switch {
	case c.wrote(f):
		return evidence.Verdict{Status: evidence.Accepted}
	case c.kept[f.ClientID].Digest == f.digest:
		return evidence.Verdict{Status: evidence.Duplicate}
	}
	return evidence.Verdict{Status: evidence.Rejected, Err: errOtherContent}
}

// wrote says whether f is what is kept under its phone's id.
func (c *uploadCall) wrote(f sealedFact) bool { return c.kept == nil || c.kept[f.ClientID].ID == f.ID }

// addUploads adds calls, no two of which have a key in common, in one
// transaction.
func (db *DB) addUploads(ctx context.Context, calls []*uploadCall) error {
	var facts []sealedFact
	var rows [][]any
	sorted := slices.SortedFunc(slices.Values(calls), func(a, b *uploadCall) int {
		return cmp.Or(cmp.Compare(a.outlet, b.outlet), cmp.Compare(a.courierNo, b.courierNo))
	})
	for _, c := range sorted {
		facts, rows = append(facts, c.facts...), append(rows, c.rows...)
	}
	return db.inTx(ctx, func(tx *Tx) error {
		fresh := int64(0)
		err := tx.bulk(insertEvidence, `on conflict (outlet_no, courier_no, client_id) where client_id is not null do nothing`, rows,
			func(query string, args ...any) error {
				n, err := tx.changed(query, args...)
				fresh += n
				return err
			})
		if err != nil {
			return fmt.Errorf("evidence: %w", err)
		}
		for _, c := range calls {
			c.kept = nil
		}
		if fresh == int64(len(facts)) {
			return addUploaded(tx, facts)
		}
		var written []sealedFact
		for _, c := range calls {
			ids := make([]string, len(c.facts))
			for i, f := range c.facts {
				ids[i] = f.ClientID
			}
			if c.kept, err = db.keptUploads(tx.list, c.outlet, c.courierNo, ids); err != nil {
				return err
			}
			for _, f := range c.facts {
				if c.wrote(f) {
					written = append(written, f)
				}
			}
		}
		return addUploaded(tx, written)
	})
}

// addUploaded writes what hangs on new uploads.
func addUploaded(tx *Tx, facts []sealedFact) error {
	if err := addValues(tx, facts); err != nil {
		return err
	}
	return addAttempts(tx, facts)
}

// keptUpload is what is kept under a phone's own id.
type keptUpload struct {
	ID     string
	Digest string `db:"client_digest"`
}

// selectKept says what its index is to be used for by its order: without it
// SQLite would read all that the outlet has.
const selectKept = `select client_id, id, client_digest from evidence
where outlet_no = ? and courier_no = ? and client_id is not null and client_id%s order by client_id`

// keptUploads finds what is kept under a phone's own ids at one outlet.
func (db *DB) keptUploads(list lister, outlet doorstep.OutletNo, courierNo int64, clientIDs []string) (map[string]keptUpload, error) {
	var rows []struct {
		ClientID string `db:"client_id"`
		keptUpload
	}
	if err := list(&rows, fmt.Sprintf(selectKept, db.inList), outlet, courierNo, db.asList(clientIDs)); err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	kept := make(map[string]keptUpload, len(rows))
	for _, r := range rows {
		kept[r.ClientID] = r.keptUpload
	}
	return kept, nil
}
