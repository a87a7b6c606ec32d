package parcels

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/prefs"
	"doorstep/push"
)

// MaxBatch is how many scans or dispatches one call may bring.
const MaxBatch = 1000

const maxAddress = 500

// Order is one dispatch as a carrier's system sends it.
type Order struct {
	Waybill      string
	OutletID     string
	CourierID    string
	Consignee    ConsigneeOrder
	DispatchedAt string // RFC 3339; "" = now
}

// ConsigneeOrder is who a parcel goes to, as it arrived.
type ConsigneeOrder struct {
	Phone     string
	Name      string
	Address   string
	AddressID string
	Location  *evidence.Point // of the address; nil: the carrier does not say
}

// Consignee is who a parcel goes to. It is kept sealed.
type Consignee struct {
	Phone   doorstep.Phone `json:"phone"`
	Name    string         `json:"name,omitempty"`
	Address string         `json:"address,omitempty"`

	Location *evidence.Point `json:"location,omitempty"` // of the address
}

// Key is the natural key of a dispatch, the company being the outlet's: the
// same key is the same dispatch.
type Key struct {
	Outlet    doorstep.OutletNo
	CourierNo int64
	Day       int // the outlet's local day, as 20261121
	Waybill   doorstep.Waybill
}

// Dispatch is one parcel going out for delivery.
type Dispatch struct {
	Key
	CourierHome  doorstep.OutletNo
	Consumer     doorstep.ConsumerID
	Consignee    Consignee
	AddressID    string
	DispatchedAt time.Time
	ReceivedAt   time.Time
	Decisions    []prefs.Decision
	Alert        *push.Alert // nil where nothing differs from the default
	Facts        []evidence.Fact
}

// Earlier is what a dispatch with the same key left behind.
type Earlier struct {
	Consumer doorstep.ConsumerID
	AlertID  string
}

// Status is what became of one item of a batch.
type Status = evidence.Status

// Verdict is the answer to one order.
type Verdict struct {
	Status    Status
	Err       error // why it was rejected: *doorstep.InvalidError or *doorstep.ConflictError
	Waybill   doorstep.Waybill
	Decisions []prefs.Decision
	AlertID   string
	Means     ParcelStatus // of a scan's code; "" where that is not known
}

// Posts are the outlets and couriers that a batch names.
type Posts struct {
	Outlets  map[string]OutletPost
	Couriers map[string]CourierPost
}

// OutletPost is what a dispatch must know of an outlet.
type OutletPost struct {
	No   doorstep.OutletNo
	Zone *time.Location
}

// CourierPost is what a dispatch must know of a courier. It never changes.
type CourierPost struct {
	No   int64
	Home doorstep.OutletNo
}

// DispatchStore is what a Dispatcher needs kept.
type DispatchStore interface {
	// Posts reads the outlets and the couriers, which works maps to their
	// outlets, and makes those bare that the company does not have yet.
	Posts(ctx context.Context, company doorstep.CompanyNo, outlets []string, works map[string][]string) (Posts, error)
	// Profiles reads what decides about each consumer's deliveries, in one go.
	Profiles(ctx context.Context, consumers []doorstep.ConsumerID) (map[doorstep.ConsumerID]prefs.Profile, error)
	// AddDispatches keeps the dispatches of one outlet with their alerts and
	// facts, all in one transaction. Keys that are there already are left alone
	// and returned. No two of the dispatches have the same key.
	AddDispatches(ctx context.Context, company doorstep.CompanyNo, list []Dispatch) (map[Key]Earlier, error)
	// Consumer is the id of the person behind a number.
	Consumer(company doorstep.CompanyNo, phone doorstep.Phone) doorstep.ConsumerID
}

// Dispatcher sends parcels out and tells couriers what to know.
type Dispatcher struct {
	Store DispatchStore
	Now   func() time.Time
	NewID doorstep.IDMaker

	// Quiet dispatches ring nobody for days that are over: for imports of a
	// carrier's past.
	Quiet bool
}

// Dispatch keeps a batch. A bad item is rejected and harms no other; the same
// dispatch again is a duplicate and writes nothing. Where some outlet's part
// fails the answer is an error that unwraps to ErrUnavailable; sent again, what
// was kept answers as duplicate.
func (d *Dispatcher) Dispatch(ctx context.Context, a doorstep.Actor, orders []Order) ([]Verdict, error) {
	if len(orders) == 0 || len(orders) > MaxBatch {
		return nil, evidence.ErrBatchSize("/dispatches", MaxBatch)
	}
	now := d.Now()
	b := batch{verdicts: make([]Verdict, len(orders)), index: map[Key]int{}}
	checked := d.check(a, orders, now, &b)
	if err := d.place(ctx, a, checked, now, &b); err != nil {
		return nil, err
	}
	if err := d.instruct(ctx, now, &b); err != nil {
		return nil, err
	}
	for _, outlet := range slices.Sorted(maps.Keys(b.byOutlet())) {
		list := b.byOutlet()[outlet]
		earlier, err := d.Store.AddDispatches(ctx, a.Company, list)
		if err != nil {
			return nil, fmt.Errorf("%w: dispatches of outlet %d: %w", doorstep.ErrUnavailable, outlet, err)
		}
		b.settle(list, earlier)
	}
	b.repeat()
	return b.verdicts, nil
}

// batch is one call on its way through.
type batch struct {
	verdicts []Verdict
	list     []Dispatch  // without repeats within the call
	at       []int       // the place in the call of each of list
	index    map[Key]int // into list
	repeats  []repeat
	outlets  map[doorstep.OutletNo][]Dispatch
	zones    map[doorstep.OutletNo]*time.Location
}

// repeat is an item whose key stood earlier in the same call.
type repeat struct {
	at   int // its place in the call
	of   int // its elder, in list
	same bool
}

type checkedOrder struct {
	at                  int
	outletID, courierID string
	dispatch            Dispatch
}

// check reads the orders. What is wrong with one is all said at once.
func (d *Dispatcher) check(a doorstep.Actor, orders []Order, now time.Time, b *batch) []checkedOrder {
	good := make([]checkedOrder, 0, len(orders))
	for i, o := range orders {
		c, err := o.checked(now)
		c.at = i
		b.verdicts[i].Waybill = c.dispatch.Waybill
		if err != nil {
			b.verdicts[i].Status, b.verdicts[i].Err = evidence.Rejected, err
			continue
		}
		c.dispatch.Consumer = d.Store.Consumer(a.Company, c.dispatch.Consignee.Phone)
		good = append(good, c)
	}
	return good
}

// Check says what is wrong with the order's values, all of it.
func (o Order) Check(now time.Time) error {
	_, err := o.checked(now)
	return err
}

func (o Order) checked(now time.Time) (c checkedOrder, err error) {
	var checks doorstep.Checks
	disp := &c.dispatch
	disp.DispatchedAt, disp.ReceivedAt = now, now
	disp.Waybill, err = doorstep.ParseWaybill(o.Waybill)
	checks.Under("/waybill", err)
	c.outletID, err = doorstep.CheckID(o.OutletID)
	checks.Under("/outlet_id", err)
	c.courierID, err = doorstep.CheckID(o.CourierID)
	checks.Under("/courier_id", err)
	disp.Consignee, disp.AddressID = o.Consignee.check("/consignee", &checks)
	if o.DispatchedAt != "" {
		disp.DispatchedAt = doorstep.ParseEventTime("/dispatched_at", o.DispatchedAt, now, &checks)
	}
	return c, checks.Err()
}

func (o ConsigneeOrder) check(pointer string, checks *doorstep.Checks) (c Consignee, addressID string) {
	var err error
	c.Phone, err = doorstep.ParsePhone(o.Phone)
	checks.Under(pointer+"/phone", err)
	c.Name, err = doorstep.CheckText(o.Name, 0, maxName)
	checks.Under(pointer+"/name", err)
	c.Address, err = doorstep.CheckText(o.Address, 0, maxAddress)
	checks.Under(pointer+"/address", err)
	if c.Location = o.Location; c.Location != nil {
		checks.Under(pointer+"/location", c.Location.Check())
	}
	if o.AddressID != "" {
		addressID, err = doorstep.CheckID(o.AddressID)
		checks.Under(pointer+"/address_id", err)
	}
	return c, addressID
}

// place finds the outlets and couriers, gives each dispatch its key, and sets
// repeats within the call aside.
func (d *Dispatcher) place(ctx context.Context, a doorstep.Actor, checked []checkedOrder, now time.Time, b *batch) error {
	var outlets []string
	works := map[string][]string{}
	for _, c := range checked {
		if !slices.Contains(works[c.courierID], c.outletID) {
			works[c.courierID] = append(works[c.courierID], c.outletID)
			outlets = append(outlets, c.outletID)
		}
	}
	slices.Sort(outlets)
	posts, err := d.Store.Posts(ctx, a.Company, slices.Compact(outlets), works)
	if err != nil {
		return err
	}
	b.zones = map[doorstep.OutletNo]*time.Location{}
	for _, c := range checked {
		outlet, courier := posts.Outlets[c.outletID], posts.Couriers[c.courierID]
		b.zones[outlet.No] = outlet.Zone
		disp := c.dispatch
		disp.Outlet, disp.CourierNo, disp.CourierHome = outlet.No, courier.No, courier.Home
		disp.Day = Day(disp.DispatchedAt, outlet.Zone)
		if elder, ok := b.index[disp.Key]; ok {
			b.repeats = append(b.repeats, repeat{at: c.at, of: elder, same: b.list[elder].Consumer == disp.Consumer})
			continue
		}
		b.index[disp.Key] = len(b.list)
		b.list, b.at = append(b.list, disp), append(b.at, c.at)
	}
	return nil
}

// instruct reads the tags of the whole call in one go and writes the alerts.
func (d *Dispatcher) instruct(ctx context.Context, now time.Time, b *batch) error {
	consumers := make([]doorstep.ConsumerID, 0, len(b.list))
	for _, disp := range b.list {
		consumers = append(consumers, disp.Consumer)
	}
	slices.Sort(consumers)
	profiles, err := d.Store.Profiles(ctx, slices.Compact(consumers))
	if err != nil {
		return err
	}
	for i := range b.list {
		disp := &b.list[i]
		door := prefs.Door{Waybill: string(disp.Waybill), AddressID: disp.AddressID}
		disp.Decisions = profiles[disp.Consumer].Decide(door, now)
		disp.Facts = append(disp.Facts, d.fact(disp, evidence.Dispatch, disp.DispatchedAt))
		zone := b.zones[disp.Outlet]
		if len(disp.Decisions) == 0 || d.Quiet && disp.Day < Day(now, zone) {
			continue
		}
		disp.Alert = &push.Alert{
			ID: d.NewID(disp.Outlet), Waybill: disp.Waybill, Tags: TagsOf(disp.Decisions), Version: 1,
			CreatedAt: now, ExpiresAt: push.EndOfShift(now, zone),
		}
		fact := d.fact(disp, evidence.Alert, now)
		fact.Fields = append(fact.Fields, evidence.Field{Name: "alert_id", Value: disp.Alert.ID})
		disp.Facts = append(disp.Facts, fact)
	}
	return nil
}

func (d *Dispatcher) fact(disp *Dispatch, kind evidence.Kind, at time.Time) evidence.Fact {
	return evidence.Fact{
		ID: d.NewID(disp.Outlet), Outlet: disp.Outlet, Kind: kind, Source: evidence.Server, CourierNo: disp.CourierNo,
		Waybill: disp.Waybill, OccurredAt: at, ReceivedAt: disp.ReceivedAt,
		Fields: []evidence.Field{{Name: "tags", Value: TagsOf(disp.Decisions)}},
	}
}

// byOutlet splits the call into what one transaction holds, sorted by key so
// that two calls cannot deadlock.
func (b *batch) byOutlet() map[doorstep.OutletNo][]Dispatch {
	if b.outlets == nil {
		b.outlets = map[doorstep.OutletNo][]Dispatch{}
		for _, disp := range b.list {
			b.outlets[disp.Outlet] = append(b.outlets[disp.Outlet], disp)
		}
		for _, list := range b.outlets {
			slices.SortFunc(list, func(x, y Dispatch) int { return x.Key.Compare(y.Key) })
		}
	}
	return b.outlets
}

// Compare orders keys. Rows are written in this order, so that two calls cannot
// deadlock.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Outlet, o.Outlet), cmp.Compare(k.CourierNo, o.CourierNo), cmp.Compare(k.Day, o.Day), cmp.Compare(k.Waybill, o.Waybill))
}

// settle gives the verdicts of what one transaction kept or found.
func (b *batch) settle(list []Dispatch, earlier map[Key]Earlier) {
	for _, disp := range list {
		v := &b.verdicts[b.at[b.index[disp.Key]]]
		v.Decisions = disp.Decisions
		was, there := earlier[disp.Key]
		switch {
		case there && was.Consumer != disp.Consumer && was.Consumer != "": // "": of somebody who was forgotten since
			v.reject(errOtherConsignee)
		case there:
			v.Status, v.AlertID = evidence.Duplicate, was.AlertID
		default:
			v.Status = evidence.Accepted
			if disp.Alert != nil {
				v.AlertID = disp.Alert.ID
			}
		}
	}
}

// repeat gives the verdicts of what stood twice in the call.
func (b *batch) repeat() {
	for _, r := range b.repeats {
		elder, v := b.verdicts[b.at[r.of]], &b.verdicts[r.at]
		switch {
		case elder.Status == evidence.Rejected && r.same:
			v.Status, v.Err = elder.Status, elder.Err
		case !r.same:
			v.reject(errOtherConsignee)
		default:
			v.Status, v.AlertID, v.Decisions = evidence.Duplicate, elder.AlertID, elder.Decisions
		}
	}
}

var errOtherConsignee = &doorstep.ConflictError{
	Code: "conflict", Detail: "the same waybill, courier and day was dispatched to another consignee",
}

func (v *Verdict) reject(err error) {
	v.Status, v.Err, v.Decisions, v.AlertID = evidence.Rejected, err, nil, ""
}

// Day is the local day of t, as 20261121.
func Day(t time.Time, zone *time.Location) int {
	y, m, d := t.In(zone).Date()
	return y*10000 + int(m)*100 + d
}

// TagsOf lists the tags of decisions, in their order.
func TagsOf(decisions []prefs.Decision) []prefs.Tag {
	tags := make([]prefs.Tag, len(decisions))
	for i, d := range decisions {
		tags[i] = d.Tag
	}
	return tags
}
