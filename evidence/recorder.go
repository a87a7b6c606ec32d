package evidence

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"doorstep"
)

// Store is what a Recorder needs kept.
type Store interface {
	// CourierParcels finds, among the waybills, those that were ever dispatched
	// to the courier, and where; and, among the ids, those of records that he
	// sent before, unless they can only be where his parcels are. Others are
	// missing from the answer.
	CourierParcels(ctx context.Context, a doorstep.Actor, waybills []doorstep.Waybill, clientIDs []string) (CourierParcels, error)
	// AddUploads adds the uploads of one courier, one transaction an outlet. The
	// verdicts stand in the order of the facts.
	AddUploads(ctx context.Context, facts []Fact) ([]Verdict, error)
	// Doors finds where the parcels of an outlet go, of those whose carrier said.
	Doors(ctx context.Context, outlet doorstep.OutletNo, waybills []doorstep.Waybill) (map[doorstep.Waybill]Point, error)
	// Evidence lists records, the newest first. Those of who opened what have a
	// list of their own and are left out unless q.Kind asks for them.
	Evidence(ctx context.Context, a doorstep.Actor, q Query) ([]Item, error)
	// AddAccesses keeps records of who opened what, one transaction an outlet.
	AddAccesses(ctx context.Context, facts []Fact) error
}

// CourierParcels says where a courier's parcels were dispatched last, and where
// what he sent before is kept.
type CourierParcels struct {
	CourierNo int64
	Outlets   map[doorstep.Waybill]doorstep.OutletNo
	Kept      map[string]doorstep.OutletNo // by the phone's own id
}

// Status is what became of one record of a batch.
type Status string

// The statuses.
const (
	Accepted  Status = "accepted"
	Duplicate Status = "duplicate" // was there already, byte for byte
	Rejected  Status = "rejected"
)

// Verdict is the answer to one record of a batch.
type Verdict struct {
	Status Status
	Err    error // why it was rejected
}

// Recorder keeps what couriers' phones upload and shows records to those who
// may read them.
type Recorder struct {
	Store Store
	Now   func() time.Time
	NewID doorstep.IDMaker
}

// ErrBatchSize refuses a batch of none or too many.
func ErrBatchSize(pointer string, most int) error {
	return &doorstep.InvalidError{Fields: []doorstep.FieldError{{
		Pointer: pointer, Code: "batch_size", Detail: fmt.Sprintf("must hold 1 to %d items", most),
	}}}
}

// Upload keeps a phone's records. Each has its own verdict: a bad one harms no
// other, one sent before is a duplicate, and one about a parcel that was never
// the courier's is rejected as not found.
func (r *Recorder) Upload(ctx context.Context, a doorstep.Actor, uploads []Upload) ([]Verdict, error) {
	if len(uploads) == 0 || len(uploads) > MaxUpload {
		return nil, ErrBatchSize("/records", MaxUpload)
	}
	now := r.Now()
	verdicts := make([]Verdict, len(uploads))
	facts := make([]Fact, len(uploads))
	waybills, clientIDs := make([]doorstep.Waybill, 0, len(uploads)), make([]string, 0, len(uploads))
	for i, u := range uploads {
		var err error
		if facts[i], err = u.fact(now); err != nil {
			verdicts[i] = Verdict{Rejected, err}
			continue
		}
		waybills, clientIDs = append(waybills, facts[i].Waybill), append(clientIDs, facts[i].ClientID)
	}
	if len(waybills) == 0 {
		return verdicts, nil
	}
	mine, err := r.Store.CourierParcels(ctx, a, waybills, clientIDs)
	if err != nil {
		return nil, err
	}
	good, places := make([]Fact, 0, len(waybills)), make([]int, 0, len(waybills))
	for i := range facts {
		if verdicts[i].Err != nil {
			continue
		}
		outlet, ok := mine.Outlets[facts[i].Waybill]
		if !ok {
			verdicts[i] = Verdict{Rejected, doorstep.NotFound("parcel", string(facts[i].Waybill))}
			continue
		}
		if kept, ok := mine.Kept[facts[i].ClientID]; ok { // also when the parcel has moved on since
			outlet = kept
		}
		facts[i].ID, facts[i].Outlet, facts[i].CourierNo = r.NewID(outlet), outlet, mine.CourierNo
		good, places = append(good, facts[i]), append(places, i)
	}
	if err := r.measure(ctx, good); err != nil {
		return nil, err
	}
	kept, err := r.Store.AddUploads(ctx, good)
	if err != nil {
		return nil, err
	}
	for i, v := range kept {
		verdicts[places[i]] = v
	}
	return verdicts, nil
}

// measure adds to locations how far from the door they are.
func (r *Recorder) measure(ctx context.Context, facts []Fact) error {
	located := map[doorstep.OutletNo][]int{}
	for i, f := range facts {
		if f.Kind == Location {
			located[f.Outlet] = append(located[f.Outlet], i)
		}
	}
	for outlet, places := range located {
		waybills := make([]doorstep.Waybill, len(places))
		for i, at := range places {
			waybills[i] = facts[at].Waybill
		}
		doors, err := r.Store.Doors(ctx, outlet, waybills)
		if err != nil {
			return err
		}
		for _, at := range places {
			if door, ok := doors[facts[at].Waybill]; ok {
				facts[at].Derived = append(facts[at].Derived, facts[at].fix().Distance(door))
			}
		}
	}
	return nil
}

// Query narrows a list of records. Zero fields do not narrow.
type Query struct {
	Waybill     doorstep.Waybill
	CourierID   string
	ComplaintID string
	Kind        Kind
	From, To    time.Time // of OccurredAt: From <= t < To
	BeforeMS    int64     // with BeforeID: where the page before this one ended
	BeforeID    string
	Limit       int
}

// Item is a record as a reader sees it.
type Item struct {
	ID          string
	Kind        Kind
	Source      Source
	Waybill     doorstep.Waybill
	CourierID   string
	ComplaintID string
	OccurredAt  time.Time
	ReceivedAt  time.Time
	ClientID    string
	Opening     Opening    // empty once erased
	Photo       PhotoState // of a record that declares a photo
}

// Outcome is the word that says how it went; "" if the record has none.
func (i Item) Outcome() string { return outcome(i.Opening.Values) }

// PhotoState says what has become of a photo that a record declares.
type PhotoState string

// The states of a photo.
const (
	PhotoDeclared PhotoState = "declared" // its bytes have not come
	PhotoArrived  PhotoState = "arrived"
	PhotoErased   PhotoState = "erased"
)

// List shows records to an outlet's manager or to headquarters. That it was
// opened, and what it told of, is recorded before, at each outlet concerned.
func (r *Recorder) List(ctx context.Context, a doorstep.Actor, q Query) ([]Item, error) {
	if q.Kind != "" && !slices.Contains(Kinds, q.Kind) {
		return nil, &doorstep.InvalidError{Fields: []doorstep.FieldError{{
			Pointer: "/kind", Code: "unknown_kind", Detail: "is not a kind of record",
		}}}
	}
	items, err := r.Store.Evidence(ctx, a, q)
	if err != nil {
		return nil, err
	}
	return items, r.Store.AddAccesses(ctx, r.opened(a, q, items))
}

// opened says that a list was opened: one record an outlet of whose records it
// tells. What shows nothing leaves none.
func (r *Recorder) opened(a doorstep.Actor, q Query, items []Item) []Fact {
	shown := map[doorstep.OutletNo][]string{}
	for _, item := range items {
		if outlet, ok := doorstep.OutletOf(item.ID); ok {
			shown[outlet] = append(shown[outlet], string(item.Waybill))
		}
	}
	facts, now := make([]Fact, 0, len(shown)), r.Now()
	for _, outlet := range slices.Sorted(maps.Keys(shown)) {
		waybills := slices.Compact(slices.Sorted(slices.Values(shown[outlet])))
		waybills = slices.DeleteFunc(waybills, func(w string) bool { return w == "" }) // of pushes, which name none
		parcel := q.Waybill
		if q.ComplaintID != "" && len(waybills) == 1 { // a complaint's records are its parcel's
			parcel = doorstep.Waybill(waybills[0])
		}
		facts = append(facts, AccessFact(r.NewID(outlet), outlet, a, OpenedList, q.ComplaintID, parcel, waybills, now))
	}
	return facts
}
