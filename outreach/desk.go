package outreach

import (
	"context"
	"fmt"
	"io"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// Store is what a Desk needs kept.
type Store interface {
	// Link finds a link and the answer that it was given, "" for none. ErrNotFound
	// for one that was never made.
	Link(ctx context.Context, outlet doorstep.OutletNo, hash string) (Link, string, error)
	// Questions lists what a link asks, sorted by tag.
	Questions(ctx context.Context, l Link) ([]Question, error)
	// AnswerQuestion keeps the answer and what follows from it for the person's
	// wishes, in one transaction. A link that was answered MaxAnswers times gives a
	// TooManyError, here as in AnswerContact.
	AnswerQuestion(ctx context.Context, a doorstep.Actor, l Link, answer TagAnswer) error
	// Out finds a parcel that is out today: of the courier's own run, or of the
	// manager's outlet. ErrNotFound if there is none.
	Out(ctx context.Context, a doorstep.Actor, w doorstep.Waybill, now time.Time) (Out, error)
	// AddContact publishes a letter and keeps its fact, unless the parcel had one
	// that day. More than most of one asker at one outlet and day is refused with a
	// TooManyError.
	AddContact(ctx context.Context, l Letter, most int, fact evidence.Fact) (Contact, error)
	// AnswerContact keeps the answer with its fact, the instruction and the consent
	// in one transaction; the parcel's courier is told.
	AnswerContact(ctx context.Context, a doorstep.Actor, l Link, answer ContactAnswer) error
	// OutletLocale is the language of an outlet, "" if it never said.
	OutletLocale(ctx context.Context, outlet doorstep.OutletNo) (string, error)
}

// Desk asks consumers and takes their answers.
type Desk struct {
	Store  Store
	Now    func() time.Time
	NewID  doorstep.IDMaker
	Random io.Reader
	URL    func(secret string) string // where a consumer reaches a link
}

func (d *Desk) letter(l Link) (Letter, error) {
	secret, err := newSecret(l.Outlet, d.Random)
	if err != nil {
		return Letter{}, fmt.Errorf("link: %w", err)
	}
	_, l.Hash, _ = locate(secret)
	return Letter{Link: l, Message: Message{
		ID: d.NewID(l.Outlet), Template: l.Kind, URL: d.URL(secret), Waybill: string(l.Waybill), ExpiresAt: l.ExpiresAt,
	}}, nil
}

// Form is what a link opens.
type Form struct {
	Kind      Kind
	Waybill   doorstep.Waybill
	Questions []Question // of a TagQuestion
	Choice    Choice     // of a PreContact: what was chosen; "" while it is open
}

// Open shows a link's form and changes nothing. ErrNotFound for a link that
// does not hold.
func (d *Desk) Open(ctx context.Context, secret string) (Form, error) {
	link, answer, err := d.find(ctx, secret)
	if err != nil {
		return Form{}, err
	}
	form := Form{Kind: link.Kind, Waybill: link.Waybill}
	if link.Kind == PreContact {
		form.Choice = Choice(answer)
		return form, nil
	}
	form.Questions, err = d.Store.Questions(ctx, link)
	if err == nil && len(form.Questions) == 0 { // each was asked anew by a later link
		err = doorstep.NotFound("link", "by hash")
	}
	return form, err
}

// open finds the link that an answer is given to.
func (d *Desk) open(ctx context.Context, secret string, kind Kind) (Link, error) {
	link, _, err := d.find(ctx, secret)
	if err == nil && link.Kind != kind {
		err = doorstep.NotFound("link", "by hash")
	}
	return link, err
}

func (d *Desk) find(ctx context.Context, secret string) (Link, string, error) {
	outlet, hash, ok := locate(secret)
	if !ok {
		return Link{}, "", doorstep.NotFound("link", "by hash")
	}
	link, answer, err := d.Store.Link(ctx, outlet, hash)
	if err == nil && !d.Now().Before(link.ExpiresAt) {
		err = doorstep.NotFound("link", "by hash")
	}
	return link, answer, err
}
