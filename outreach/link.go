// Package outreach decides what consumers are asked: by a link that the carrier
// sends for us, which opens one form, can do what that form says and nothing
// else, and expires. It does no I/O.
package outreach

import (
	"io"
	"strconv"
	"strings"
	"time"

	"doorstep"
	"doorstep/vault"
)

// Kind says what a link opens; it is the template of its message, too.
type Kind string

// The kinds.
const (
	TagQuestion Kind = "tag_question" // is this what you want, from now on?
	PreContact  Kind = "pre_contact"  // what shall the courier do with this parcel?
)

// Link opens one form for whoever holds its secret. The secret is not kept.
type Link struct {
	Outlet    doorstep.OutletNo
	Hash      string
	Kind      Kind
	Company   doorstep.CompanyNo
	Consumer  doorstep.ConsumerID
	Waybill   doorstep.Waybill
	Asker     string // of a pre-contact: whose bound it counts towards
	Day       int    // of a pre-contact: the outlet's local day
	CreatedAt time.Time
	ExpiresAt time.Time
}

// actor is who answers, and how far his word goes is for each answer to say.
func (l Link) actor() doorstep.Actor {
	return doorstep.Actor{Role: doorstep.RoleConsumer, Company: l.Company, Consumer: l.Consumer}
}

// MaxAnswers is how often a link may be answered: enough to correct a slip, too
// little to keep a courier's phone ringing.
const MaxAnswers = 10

// linkPrefix begins every secret, so that scanners can know one and no link is
// taken for a token: what takes tokens never looks for it.
const linkPrefix = "dsl_"

// newSecret draws a secret that says its outlet, as "dsl_7k_...": it is found
// without an index over all of them.
func newSecret(outlet doorstep.OutletNo, random io.Reader) (string, error) {
	return vault.NewSecret(linkPrefix+strconv.FormatInt(int64(outlet), 36)+"_", random)
}

// IsLink says whether a text may be a link's secret.
func IsLink(secret string) bool { return strings.HasPrefix(secret, linkPrefix) }

// locate reads where a secret's link is kept. False means that we never made
// such a secret.
func locate(secret string) (outlet doorstep.OutletNo, hash string, ok bool) {
	rest, ok := strings.CutPrefix(secret, linkPrefix)
	short, _, found := strings.Cut(rest, "_")
	n, err := strconv.ParseInt(short, 36, 64)
	if !ok || !found || err != nil || n <= 0 || len(secret) > 128 {
		return 0, "", false
	}
	return doorstep.OutletNo(n), vault.HashSecret(secret), true
}

// Message is what the carrier passes on: the object of feed.ConsumerMessage. It
// names nobody; the carrier knows whose the waybill is.
type Message struct {
	ID          string    `json:"id"`
	ConsumerRef string    `json:"consumer_ref"` // the same for the same person, and for nobody else
	Template    Kind      `json:"template"`
	URL         string    `json:"url"`
	Locale      string    `json:"locale"`
	Waybill     string    `json:"waybill"`
	ExpiresAt   time.Time `json:"expires_at"`
}

// Letter is a link with the message that carries it. The store fills in whom it
// goes to and in which language.
type Letter struct {
	Link    Link
	Message Message
}
