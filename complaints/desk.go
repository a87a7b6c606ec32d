package complaints

import (
	"context"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/outreach"
	"doorstep/parcels"
	"doorstep/prefs"
)

const (
	maxText    = 4000 // runes
	maxChannel = 32
	maxPerson  = 200
)

// Reading is what a complaint's text says.
type Reading struct {
	Category   Category
	Confidence float64 // of the category, 0..1
	Tags       []TagReading
}

// TagReading is one wish that a text was read to express.
type TagReading struct {
	Tag        prefs.Tag
	Confidence float64 // 0..1
}

// Filing is a complaint as it arrived.
type Filing struct {
	Waybill  string
	Text     string
	Category string    // "" = read it from the text
	Channel  string    // set by integrators
	Reporter *Reporter // who told an integrator, if not the consignee
	FiledAt  string    // of imports, RFC 3339; "" = now
}

// Reporter is who complained on the consignee's behalf.
type Reporter struct {
	Name  string `json:"name,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Intake is a new complaint with what is written beside it.
type Intake struct {
	Complaint Complaint
	Lessons   []prefs.Evidence
	Fact      evidence.Fact
	MessageID string // under which the text is appended if a complaint is open already
	Reporter  *Reporter

	Inquiry *outreach.Inquiry // what may be asked because of the lessons; nil: nothing is
}

// Custody is where a parcel is and was, and whose it is.
type Custody struct {
	Parcel    doorstep.OutletNo // the outlet that knows the consignee
	Consumer  doorstep.ConsumerID
	AddressID string
	Chain     []Handover                           // oldest first
	Outlets   map[doorstep.OutletNo]parcels.Outlet // of the chain: their hours and zones
}

// Store is what a Desk needs kept.
type Store interface {
	// Custody finds the parcel for the caller. One that the caller may not
	// complain about gives ErrNotFound.
	Custody(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (Custody, error)
	// Consignee is the one to whom the parcel at the outlet goes; the zero Party
	// where that is not known.
	Consignee(ctx context.Context, outlet doorstep.OutletNo, w doorstep.Waybill) (Party, error)
	// File keeps an intake in one transaction: the complaint, what it teaches, its
	// fact, and the message with what that leaves to ask; or, if one on the same
	// parcel and category is open, the text and the reporter as an addition to
	// that, which ends a pause. It sets RepeatOf, Follows, Learned and Merged.
	File(ctx context.Context, c Intake) (Complaint, error)
	// Change has change decide on a complaint that the caller may see, else
	// ErrNotFound, and keeps what becomes of it in one transaction. If change
	// fails nothing is kept. It may be called more than once.
	Change(ctx context.Context, a doorstep.Actor, id string, change func(*Complaint) (Outcome, error)) (Complaint, error)
	// Reroute has change decide on moving a complaint to another outlet of the
	// company: a new row there and a stub behind, which the complaint's id still
	// finds. An outlet that the company does not have gives ErrInvalid.
	Reroute(ctx context.Context, a doorstep.Actor, id, outletID string, change func(c *Complaint, to doorstep.OutletNo) (Outcome, error)) (Complaint, error)
	// ComplaintNotes lists the outlet's notes on a complaint, the oldest first.
	ComplaintNotes(ctx context.Context, a doorstep.Actor, id string) ([]Note, error)
	// Notices lists what the caller is told, the newest first.
	Notices(ctx context.Context, a doorstep.Actor, q NoticeQuery) ([]NoticeItem, error)
	// Complaint reads one that the caller may see, else ErrNotFound.
	Complaint(ctx context.Context, a doorstep.Actor, id string) (Complaint, error)
	// Complaints lists those that the caller may see, the newest first.
	Complaints(ctx context.Context, a doorstep.Actor, q Query) ([]Complaint, error)
}

// Query narrows a list. Zero fields do not narrow.
type Query struct {
	Status    Status
	Category  Category
	CourierID string
	OutletID  string
	DueBefore time.Time
	Counted   CountedAs
	ByDue     bool  // those that owe an answer, the most urgent first; else the newest first
	AfterMS   int64 // with AfterID: where the page before this one ended
	AfterID   string
	Limit     int
}

// CountedAs narrows a list to what a figure counts: see the package kpi. Zero
// fields do not narrow.
type CountedAs struct {
	FromDay, ToDay int       // local days of the outlets, both included: 20260301
	Until          time.Time // when the youngest was filed
	Counted        bool      // leaves out those that were withdrawn before anybody had handled them
	Handled        string    // "same_day", "within_24h" or "within_7d"
	Repeat         string    // of the 30 days before: "true", "any_category", "same_parcel" or "same_outlet"
	LateAt         time.Time // those not handled within 24 hours, which were over by then
	Paused         bool      // at some time
}

// Inquire prepares what a complaint may ask of the consumer; outreach.Desk does.
type Inquire func(outlet doorstep.OutletNo, company doorstep.CompanyNo, consumer doorstep.ConsumerID, w doorstep.Waybill) (*outreach.Inquiry, error)

// Desk takes complaints in and shows them.
type Desk struct {
	Store Store
	Read  func(text string) Reading
	Ask   Inquire      // nil: nobody is asked anything
	Again SecondReader // nil: every reading stands
	Now   func() time.Time
	NewID doorstep.IDMaker
}

// File takes a complaint in: it goes to the responsible outlet, its clocks start,
// and what it says about the consumer's wishes is learned.
func (d *Desk) File(ctx context.Context, a doorstep.Actor, in Filing) (Complaint, error) {
	c, err := in.checked(a, d.now())
	if err != nil {
		return Complaint{}, err
	}
	comp := &c.Complaint
	custody, err := d.Store.Custody(ctx, a, comp.Waybill)
	if err != nil {
		return Complaint{}, err
	}
	read := d.read(ctx, c, custody, in.Reporter)
	c.Lessons = Lessons(read, comp.Category)
	if comp.Category == "" {
		comp.Category = read.Category
	}
	chain := since(custody.Consumer, custody.Chain)
	routing, ok := Route(comp.Category, chain)
	if !ok {
		return Complaint{}, doorstep.NotFound("parcel", string(comp.Waybill))
	}
	outlet := custody.Outlets[routing.Outlet]
	comp.ID, c.MessageID = d.NewID(routing.Outlet), d.NewID(routing.Outlet)
	comp.Company, comp.Outlet, comp.Consumer, comp.CourierNo = a.Company, routing.Outlet, custody.Consumer, courierOf(chain, routing.Outlet)
	comp.OutletID, comp.OutletName = outlet.ID, outlet.Name
	comp.Status, comp.Routing, comp.Sequence = Filed, routing, 1
	comp.RowID = comp.ID
	comp.Period = FirstPeriod(comp.FiledAt, outlet.TimeZone, outlet.Hours)
	for i := range c.Lessons {
		e := &c.Lessons[i]
		e.SourceID, e.Category, e.AddressID, e.At = comp.ID, string(comp.Category), custody.AddressID, comp.FiledAt
	}
	c.Fact = evidence.Fact{
		ID: d.NewID(comp.Outlet), Outlet: comp.Outlet, Kind: evidence.Complaint, Source: evidence.Person,
		CourierNo: comp.CourierNo, Waybill: comp.Waybill, ComplaintID: comp.ID,
		OccurredAt: comp.FiledAt, ReceivedAt: comp.ReceivedAt,
		Fields: []evidence.Field{{Name: "category", Value: string(comp.Category)}, {Name: "text", Value: comp.Text}},
	}
	if in.Reporter != nil {
		c.Reporter = in.Reporter
		c.Fact.Fields = append(c.Fact.Fields, evidence.Field{Name: "reporter", Value: in.Reporter})
	}
	if d.Ask != nil && len(c.Lessons) > 0 {
		if c.Inquiry, err = d.Ask(comp.Outlet, a.Company, custody.Consumer, comp.Waybill); err != nil {
			return Complaint{}, err
		}
	}
	return d.Store.File(ctx, c)
}

// courierOf is who carried the parcel last for an outlet; 0 if nobody did.
func courierOf(chain []Handover, outlet doorstep.OutletNo) int64 {
	for _, h := range slices.Backward(chain) {
		if h.Outlet == outlet && h.Courier != 0 {
			return h.Courier
		}
	}
	return 0
}

// Check says what is wrong with the filing's values, all of it.
func (in Filing) Check(now time.Time) error {
	_, err := in.checked(doorstep.Actor{Role: doorstep.RoleIntegrator}, now)
	return err
}

func (in Filing) checked(a doorstep.Actor, now time.Time) (Intake, error) {
	c := Intake{Complaint: Complaint{Category: Category(in.Category), FiledAt: now, ReceivedAt: now, Channel: string(a.Role)}}
	var checks doorstep.Checks
	var err error
	c.Complaint.Waybill, err = doorstep.ParseWaybill(in.Waybill)
	checks.Under("/waybill", err)
	c.Complaint.Text, err = doorstep.CheckText(in.Text, 1, maxText)
	checks.Under("/text", err)
	if in.Category != "" && !slices.Contains(Categories, c.Complaint.Category) {
		checks.Add("/category", "unknown_category", "is not in the list of categories")
	}
	if a.Role != doorstep.RoleIntegrator && (in.Channel != "" || in.Reporter != nil) {
		checks.Add("/channel", "not_allowed", "channel and reporter are set by integrators only")
	}
	if in.Channel != "" {
		c.Complaint.Channel, err = doorstep.CheckText(in.Channel, 1, maxChannel)
		checks.Under("/channel", err)
	}
	if in.Reporter != nil {
		checks.Under("/reporter", in.Reporter.check())
	}
	if in.FiledAt != "" {
		c.Complaint.FiledAt = doorstep.ParseEventTime("/filed_at", in.FiledAt, now, &checks).Truncate(time.Millisecond)
	}
	return c, checks.Err()
}

func (r *Reporter) check() error {
	var checks doorstep.Checks
	var err error
	r.Name, err = doorstep.CheckText(r.Name, 0, maxPerson)
	checks.Under("/name", err)
	if r.Phone != "" {
		phone, err := doorstep.ParsePhone(r.Phone)
		checks.Under("/phone", err)
		r.Phone = string(phone)
	}
	return checks.Err()
}

// Complaint shows one to whoever may see it.
func (d *Desk) Complaint(ctx context.Context, a doorstep.Actor, id string) (Complaint, error) {
	return d.Store.Complaint(ctx, a, id)
}

// Complaints lists those that the caller may see.
func (d *Desk) Complaints(ctx context.Context, a doorstep.Actor, q Query) ([]Complaint, error) {
	var checks doorstep.Checks
	if q.Status != "" && !slices.Contains(Statuses, q.Status) {
		checks.Add("/status", "unknown_status", "is not a state of complaints")
	}
	if q.Category != "" && !slices.Contains(Categories, q.Category) {
		checks.Add("/category", "unknown_category", "is not in the list of categories")
	}
	if q.Counted.Repeat != "" && a.Role == doorstep.RoleCourier {
		checks.Add("/repeat", "not_allowed", "tells what else a consumer complained of; that is not for couriers")
	}
	if err := checks.Err(); err != nil {
		return nil, err
	}
	return d.Store.Complaints(ctx, a, q)
}
