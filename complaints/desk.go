package complaints

import (
	"context"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/outreach"
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

// Case is a new complaint with what is written beside it.
type Case struct {
	Complaint Complaint
	Lessons   []prefs.Evidence
	Fact      evidence.Fact
	MessageID string // under which the text is appended if a complaint is open already

	Inquiry *outreach.Inquiry // what may be asked because of the lessons; nil: nothing is
}

// Custody is where a parcel is and whose it is.
type Custody struct {
	Outlet    doorstep.OutletNo
	Consumer  doorstep.ConsumerID
	AddressID string
	CourierNo int64
}

// Store is what a Desk needs kept.
type Store interface {
	// Custody finds the parcel for the caller: the outlet that dispatched it
	// last, else the one that scanned it last. A parcel that the caller may not
	// complain about gives ErrNotFound.
	Custody(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (Custody, error)
	// Consignee is the one to whom the parcel at the outlet goes; the zero Party
	// where that is not known.
	Consignee(ctx context.Context, outlet doorstep.OutletNo, w doorstep.Waybill) (Party, error)
	// File keeps a case in one transaction: the complaint, what it teaches, its
	// fact, and the message with what that leaves to ask; or, if one on the same
	// parcel and category is open, the text as an addition to that. It sets
	// RepeatOf, Learned and Merged.
	File(ctx context.Context, c Case) (Complaint, error)
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
	DueBefore time.Time
	BeforeMS  int64 // with BeforeID: where the page before this one ended
	BeforeID  string
	Limit     int
}

// Inquire prepares what a complaint may ask of the consumer; outreach.Desk does.
type Inquire func(outlet doorstep.OutletNo, company doorstep.CompanyNo, consumer doorstep.ConsumerID, w doorstep.Waybill, taught []prefs.Tag) (*outreach.Inquiry, error)

// Desk takes complaints in and shows them.
type Desk struct {
	Store Store
	Read  func(text string) Reading
	Ask   Inquire      // nil: nobody is asked anything
	Again SecondReader // nil: every reading stands
	Now   func() time.Time
	NewID doorstep.IDMaker
}

// File takes a complaint in: it goes to the outlet that has the parcel, its
// clocks start, and what it says about the consumer's wishes is learned.
func (d *Desk) File(ctx context.Context, a doorstep.Actor, in Filing) (Complaint, error) {
	c, err := in.checked(a, d.Now())
	if err != nil {
		return Complaint{}, err
	}
	comp := &c.Complaint
	custody, err := d.Store.Custody(ctx, a, comp.Waybill)
	if err != nil {
		return Complaint{}, err
	}
	read := d.read(ctx, c, custody, in.Reporter)
	c.Lessons = lessons(read, comp.Category)
	if comp.Category == "" {
		comp.Category = read.Category
	}
	comp.ID, c.MessageID = d.NewID(custody.Outlet), d.NewID(custody.Outlet)
	comp.Company, comp.Outlet, comp.Consumer, comp.CourierNo = a.Company, custody.Outlet, custody.Consumer, custody.CourierNo
	comp.Status = Filed
	comp.PromiseDue, comp.LegalDue = comp.FiledAt.Add(Promise), comp.FiledAt.Add(Legal)
	for i := range c.Lessons {
		e := &c.Lessons[i]
		e.SourceID, e.Category, e.AddressID, e.At = comp.ID, string(comp.Category), custody.AddressID, comp.FiledAt
	}
	c.Fact = evidence.Fact{
		ID: d.NewID(custody.Outlet), Outlet: custody.Outlet, Kind: evidence.Complaint, Source: evidence.Person,
		CourierNo: custody.CourierNo, Waybill: comp.Waybill, ComplaintID: comp.ID,
		OccurredAt: comp.FiledAt, ReceivedAt: comp.ReceivedAt,
		Fields: []evidence.Field{{Name: "category", Value: string(comp.Category)}, {Name: "text", Value: comp.Text}},
	}
	if in.Reporter != nil {
		c.Fact.Fields = append(c.Fact.Fields, evidence.Field{Name: "reporter", Value: in.Reporter})
	}
	if d.Ask != nil && len(c.Lessons) > 0 {
		var taught []prefs.Tag
		for _, e := range c.Lessons {
			taught = append(taught, e.Tag)
		}
		if c.Inquiry, err = d.Ask(custody.Outlet, a.Company, custody.Consumer, comp.Waybill, taught); err != nil {
			return Complaint{}, err
		}
	}
	return d.Store.File(ctx, c)
}

// Check says what is wrong with the filing's values, all of it.
func (in Filing) Check(now time.Time) error {
	_, err := in.checked(doorstep.Actor{Role: doorstep.RoleIntegrator}, now)
	return err
}

func (in Filing) checked(a doorstep.Actor, now time.Time) (Case, error) {
	c := Case{Complaint: Complaint{Category: Category(in.Category), FiledAt: now, ReceivedAt: now, Channel: string(a.Role)}}
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
		c.Complaint.FiledAt = doorstep.ParseEventTime("/filed_at", in.FiledAt, now, &checks)
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
	if err := checks.Err(); err != nil {
		return nil, err
	}
	return d.Store.Complaints(ctx, a, q)
}
