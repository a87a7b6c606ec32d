package privacy

import (
	"context"
	"fmt"
	"time"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/prefs"
)

// Owned is a parcel as the consumer gets a copy of it: with all that is kept
// about it, and who looked.
type Owned struct {
	Parcel
	OutletID     string
	Phone        doorstep.Phone
	Name         string
	Address      string
	AddressID    string
	DispatchedAt time.Time // zero: it never went out
	Records      []evidence.Item
	Opened       []Access
	Held         []Hold
}

// Said is a preference, or that a tag was taken away.
type Said struct {
	Scope prefs.Scope
	Tag   prefs.Tag
	State string
	At    time.Time
}

// Note is what the consumer wrote to couriers.
type Note struct {
	Scope prefs.Scope
	Text  string
	At    time.Time
}

// Asked is a question that the consumer was sent.
type Asked struct {
	Tag        prefs.Tag
	AskedAt    time.Time
	ExpiresAt  time.Time
	Answer     string
	AnsweredAt time.Time
}

// Link is a link that the consumer was sent. Its secret is not kept.
type Link struct {
	Kind       string
	Waybill    doorstep.Waybill
	SentAt     time.Time
	ExpiresAt  time.Time
	Answer     string
	AnsweredAt time.Time
}

// Round is a period of a complaint that has ended.
type Round struct {
	ComplaintID string
	complaints.Period
}

// SignIn is a token of the consumer's. Its secret is not kept.
type SignIn struct {
	Waybill   doorstep.Waybill // of a link to one parcel
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Own is all that is kept about a consumer beside his parcels, complaints and
// consents, which may be many.
type Own struct {
	Learning bool
	Tags     []prefs.TagState
	Said     []Said
	Notes    []Note
	Lessons  []prefs.Evidence
	Asked    []Asked
	Links    []Link
	Periods  []Round // of complaints, that have ended
	SignIns  []SignIn
}

// ExportStore is what an Exporter reads.
type ExportStore interface {
	// Own reads what is kept beside parcels, complaints and consents.
	Own(ctx context.Context, a doorstep.Actor) (Own, error)
	// ParcelsOf lists the parcels that went to the caller or that he complained
	// about.
	ParcelsOf(ctx context.Context, a doorstep.Actor) ([]Parcel, error)
	// Owned reads one of them.
	Owned(ctx context.Context, a doorstep.Actor, p Parcel) (Owned, error)
	Complaints(ctx context.Context, a doorstep.Actor, q complaints.Query) ([]complaints.Complaint, error)
	Complaint(ctx context.Context, a doorstep.Actor, id string) (complaints.Complaint, error)
	Consents(ctx context.Context, consumer doorstep.ConsumerID, p prefs.ConsentPage) ([]prefs.Consent, error)
	// AddAccesses keeps records of openings.
	AddAccesses(ctx context.Context, facts []evidence.Fact) error
}

// Exporter gives consumers a copy of what is kept about them.
type Exporter struct {
	Store ExportStore
	Tags  func(context.Context, doorstep.Actor) ([]prefs.TagState, bool, error) // prefs.Book.Tags
	Now   func() time.Time
	NewID doorstep.IDMaker
}

// Copy is a consumer's copy, part by part: no more than one parcel and one page
// of complaints are in memory at once.
type Copy struct {
	At      time.Time
	Own     Own
	parcels []Parcel
	actor   doorstep.Actor
	store   ExportStore
}

// Export begins a copy. That it was made is recorded at each outlet concerned
// before anything is shown.
func (x *Exporter) Export(ctx context.Context, a doorstep.Actor) (*Copy, error) {
	if !a.IsPerson() {
		return nil, doorstep.ErrPersonRequired
	}
	c := &Copy{At: x.Now(), actor: a, store: x.Store}
	var err error
	if c.Own, err = x.Store.Own(ctx, a); err != nil {
		return nil, err
	}
	if c.Own.Tags, c.Own.Learning, err = x.Tags(ctx, a); err != nil {
		return nil, err
	}
	if c.parcels, err = x.Store.ParcelsOf(ctx, a); err != nil {
		return nil, err
	}
	shown := map[doorstep.OutletNo][]string{}
	var outlets []doorstep.OutletNo
	for _, p := range c.parcels {
		if shown[p.Outlet] == nil {
			outlets = append(outlets, p.Outlet)
		}
		shown[p.Outlet] = append(shown[p.Outlet], string(p.Waybill))
	}
	facts := make([]evidence.Fact, len(outlets))
	for i, o := range outlets {
		facts[i] = evidence.AccessFact(x.NewID(o), o, a, evidence.OpenedExport, "", "", shown[o], c.At)
	}
	return c, x.Store.AddAccesses(ctx, facts)
}

// Parcels hands on each parcel.
func (c *Copy) Parcels(ctx context.Context, take func(Owned) error) error {
	for _, p := range c.parcels {
		owned, err := c.store.Owned(ctx, c.actor, p)
		if err != nil {
			return fmt.Errorf("export: parcel at outlet %d: %w", p.Outlet, err)
		}
		if err := take(owned); err != nil {
			return err
		}
	}
	return nil
}

// exportPage is how many complaints or consents are read at once.
const exportPage = 100

// Complaints hands on each complaint, with all that the consumer said.
func (c *Copy) Complaints(ctx context.Context, take func(complaints.Complaint) error) error {
	q := complaints.Query{Limit: exportPage}
	for {
		list, err := c.store.Complaints(ctx, c.actor, q)
		if err != nil {
			return fmt.Errorf("export: complaints: %w", err)
		}
		for _, one := range list {
			if one, err = c.store.Complaint(ctx, c.actor, one.ID); err == nil {
				err = take(one)
			}
			if err != nil {
				return fmt.Errorf("export: complaint: %w", err)
			}
			q.AfterMS, q.AfterID = one.FiledAt.UnixMilli(), one.RowID
		}
		if len(list) < exportPage {
			return nil
		}
	}
}

// Consents hands on each consent.
func (c *Copy) Consents(ctx context.Context, take func(prefs.Consent) error) error {
	p := prefs.ConsentPage{Limit: exportPage}
	for {
		list, err := c.store.Consents(ctx, c.actor.Consumer, p)
		if err != nil {
			return fmt.Errorf("export: consents: %w", err)
		}
		for _, one := range list {
			if err := take(one); err != nil {
				return err
			}
			p.Before = one.ID
		}
		if len(list) < exportPage {
			return nil
		}
	}
}
