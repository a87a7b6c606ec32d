package backtest

import (
	"slices"
	"strings"
	"time"

	"doorstep"
	"doorstep/complaints"
	"doorstep/prefs"
)

// Dispatch is one parcel that went out for delivery.
type Dispatch struct {
	Waybill   doorstep.Waybill
	Outlet    string // the carrier's ids
	Courier   string
	Consumer  string // whatever is one person's: a phone in E.164
	AddressID string // "" = unknown
	At        time.Time
}

// Complaint is one complaint and what it teaches.
type Complaint struct {
	Waybill  doorstep.Waybill
	Category complaints.Category // chosen, or as read
	Lessons  []prefs.Evidence    // complaints.Lessons: tags and weights
	At       time.Time
}

// Past is what a replay goes through: dispatches first, then the complaints
// about them, each in any order. Of a complaint's words it keeps nothing.
type Past struct {
	zone       *time.Location
	outings    []outing
	grievances []grievance
	last       map[doorstep.Waybill]int32 // the newest of outings, by their order of arrival

	outlets, couriers, consumers, addresses names
}

// outing is a Dispatch in little room.
type outing struct {
	waybill                            doorstep.Waybill
	at                                 int64 // ms
	consumer, outlet, courier, address int32
	elder                              int32 // the one of the same waybill that arrived before; -1 if none
}

// grievance is a Complaint in little room.
type grievance struct {
	at       int64 // ms
	outing   int32 // the dispatch that it is about
	category complaints.Category
	lessons  []prefs.Evidence
}

// NewPast is an empty past. Days are those of zone.
func NewPast(zone *time.Location) *Past {
	return &Past{zone: zone, last: map[doorstep.Waybill]int32{}}
}

var (
	errOtherConsignee = &doorstep.ConflictError{
		Code: "conflict", Detail: "the same waybill, courier and day was dispatched to another consignee",
	}
	errBeforeDispatch = &doorstep.ConflictError{
		Code: "before_dispatch", Detail: "was filed before the parcel was first dispatched",
	}
)

// AddDispatch adds one. The same waybill, outlet, courier and local day is the
// same dispatch: false if it is there already, a *doorstep.ConflictError if to
// another consumer.
func (p *Past) AddDispatch(d Dispatch) (added bool, err error) {
	o := outing{
		waybill: doorstep.Waybill(strings.Clone(string(d.Waybill))), at: d.At.UnixMilli(), elder: -1,
		consumer: p.consumers.number(d.Consumer), outlet: p.outlets.number(d.Outlet),
		courier: p.couriers.number(d.Courier), address: p.addresses.number(d.AddressID),
	}
	newest, again := p.last[d.Waybill]
	if again {
		o.elder = newest
		for i := newest; i >= 0; i = p.outings[i].elder {
			e := p.outings[i]
			if e.outlet != o.outlet || e.courier != o.courier || p.day(e.at) != p.day(o.at) {
				continue
			}
			if e.consumer != o.consumer {
				return false, errOtherConsignee
			}
			return false, nil
		}
	}
	p.last[o.waybill] = int32(len(p.outings))
	p.outings = append(p.outings, o)
	return true, nil
}

func (p *Past) day(ms int64) int {
	t := time.UnixMilli(ms).In(p.zone)
	return t.Year()*1000 + t.YearDay()
}

// AddComplaint adds one about the last dispatch of its parcel before it. A
// parcel that was never dispatched gives ErrNotFound, one that was not yet
// dispatched a *doorstep.ConflictError: taking it for known would be to look
// ahead.
func (p *Past) AddComplaint(c Complaint) error {
	newest, ok := p.last[c.Waybill]
	if !ok {
		return doorstep.NotFound("parcel", string(c.Waybill))
	}
	g := grievance{at: c.At.UnixMilli(), outing: -1, category: c.Category, lessons: slices.Clone(c.Lessons)}
	for i := newest; i >= 0; i = p.outings[i].elder {
		if at := p.outings[i].at; at <= g.at && (g.outing < 0 || at > p.outings[g.outing].at) {
			g.outing = i
		}
	}
	if g.outing < 0 {
		return errBeforeDispatch
	}
	p.grievances = append(p.grievances, g)
	return nil
}

// names numbers texts in the order in which they come.
type names struct {
	numbers map[string]int32
	texts   []string
}

func (n *names) number(text string) int32 {
	if no, ok := n.numbers[text]; ok {
		return no
	}
	if n.numbers == nil {
		n.numbers = map[string]int32{}
	}
	no := int32(len(n.texts))
	text = strings.Clone(text) // a row of a file stays whole in memory as long as a part of it
	n.numbers[text] = no
	n.texts = append(n.texts, text)
	return no
}
