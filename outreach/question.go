package outreach

import (
	"context"
	"slices"
	"time"

	"doorstep"
	"doorstep/prefs"
)

const (
	questionLife = 14 * 24 * time.Hour // of a question's link
	askedAgain   = 90 * 24 * time.Hour // a tag is not asked about again before
)

// Answers to a question.
const (
	Yes = "yes"
	No  = "no"
)

// Question is the last one about a tag.
type Question struct {
	Tag       prefs.Tag
	AskedAt   time.Time
	ExpiresAt time.Time
	Answer    string // "" while it is open
}

// Inquiry is a letter that asks about what a complaint taught, if there is
// anything to ask.
type Inquiry struct {
	Letter
	Taught []prefs.Tag
	At     time.Time
}

// Tags says which tags to ask about, given all that is known of the consumer
// with the complaint, and the last question about each tag. A tag is asked about
// once in a while, and never while a question about it is open.
func (q Inquiry) Tags(known prefs.Profile, last []Question) []prefs.Tag {
	return slices.DeleteFunc(known.Questions(q.Taught, q.At), func(tag prefs.Tag) bool {
		return slices.ContainsFunc(last, func(l Question) bool {
			open := l.Answer == "" && q.At.Before(l.ExpiresAt)
			return l.Tag == tag && (open || q.At.Sub(l.AskedAt) < askedAgain)
		})
	})
}

// Inquire prepares what a complaint about a parcel may ask of its consignee.
func (d *Desk) Inquire(outlet doorstep.OutletNo, company doorstep.CompanyNo, consumer doorstep.ConsumerID, w doorstep.Waybill, taught []prefs.Tag) (*Inquiry, error) {
	now := d.Now()
	letter, err := d.letter(Link{
		Outlet: outlet, Kind: TagQuestion, Company: company, Consumer: consumer, Waybill: w,
		CreatedAt: now, ExpiresAt: now.Add(questionLife),
	})
	if err != nil {
		return nil, err
	}
	return &Inquiry{Letter: letter, Taught: taught, At: now}, nil
}

// TagAnswer is a consumer's word about one tag.
type TagAnswer struct {
	Tag     prefs.Tag
	Yes     bool
	Consent *prefs.Consent // that a permission records
	At      time.Time
	Locale  string // of the form
}

// AnswerQuestion makes a tag the consumer's own standing wish, or takes it away
// for a year. The last answer counts while the link holds.
func (d *Desk) AnswerQuestion(ctx context.Context, secret string, tag prefs.Tag, yes bool, locale string) error {
	link, err := d.open(ctx, secret, TagQuestion)
	if err != nil {
		return err
	}
	questions, err := d.Store.Questions(ctx, link)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(questions, func(q Question) bool { return q.Tag == tag }) {
		return doorstep.NotFound("question", string(tag))
	}
	answer := TagAnswer{Tag: tag, Yes: yes, At: d.Now(), Locale: locale}
	if kind, ok := tag.Allows(); ok && yes {
		answer.Consent = &prefs.Consent{
			ID: d.NewID(link.Company), Kind: kind, Scope: prefs.Standing, ReceiptMethod: prefs.Unspecified, ByPreference: true, GivenAt: answer.At,
		}
	}
	return d.Store.AnswerQuestion(ctx, link.actor(), link, answer)
}
