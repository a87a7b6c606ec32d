package privacy

import (
	"time"

	"doorstep/feed"
	"doorstep/push"
)

// Class is a kind of personal data that is kept for one purpose and one time.
type Class string

// The classes.
const (
	Parcels   Class = "parcels"   // who a parcel goes to
	Records   Class = "records"   // what happened to a parcel that nobody complained about
	Cases     Class = "cases"     // what happened to a parcel that somebody complained about
	Reports   Class = "reports"   // what providers of calls and messages sent, as it came
	Positions Class = "positions" // where a courier stood, to the metre
	Wishes    Class = "wishes"    // preferences, notes, consents
	Lessons   Class = "lessons"   // what complaints and verdicts taught
	Messages  Class = "messages"  // messages for consumers and the links in them
	Devices   Class = "devices"   // couriers' phones
	Accesses  Class = "accesses"  // who opened what
	Tokens    Class = "tokens"    // who may sign in
	Proofs    Class = "proofs"    // headers and commitments of records
)

// Ground is why the law lets a class be kept: PIPL art. 13, GDPR art. 6.
type Ground string

// The grounds.
const (
	Contract Ground = "contract" // to deliver, and to answer for the delivery
	Consent  Ground = "consent"  // the consumer said so
	Staff    Ground = "staff"    // to manage employees under lawful rules
	Duty     Ground = "duty"     // the law asks for it
)

// Start is what the time of a class is counted from.
type Start string

// The starts.
const (
	FromReceipt Start = "receipt" // when we received it, or the parcel went out last
	FromClosing Start = "closing" // when the complaint was closed
	FromLastUse Start = "last_use"
	FromExpiry  Start = "expiry"
	UntilErased Start = "erased" // until the person changes or deletes it
	ForEver     Start = "never"  // it names nobody
)

// Rule says why and how long a class is kept.
type Rule struct {
	Class  Class
	Ground Ground
	From   Start
	Keep   time.Duration // 0 where nothing is counted
}

const day = 24 * time.Hour

// Rules is the table of purposes and retention: the sweeper, the notice and the
// documents are made of it.
var Rules = []Rule{
	// A postal appeal comes up to 6 months after posting, and takes twice 15 days more; the rest is slack.
	{Parcels, Contract, FromReceipt, 240 * day},
	{Records, Contract, FromReceipt, 240 * day},
	// A courier may go to labour arbitration for a year.
	{Cases, Contract, FromClosing, 400 * day},
	// What they come to is in the records; the rest is for sorting out faults.
	{Reports, Contract, FromReceipt, 60 * day},
	// The distance to the address is enough afterwards.
	{Positions, Contract, FromReceipt, 90 * day},
	{Wishes, Consent, UntilErased, 0},
	// Three half-lives: below that a lesson weighs less than an eighth.
	{Lessons, Contract, FromReceipt, 540 * day},
	{Messages, Contract, FromReceipt, feed.Kept},
	{Devices, Staff, FromLastUse, push.UnseenAfter},
	// Impact assessments and their proofs are kept for three years: PIPL art. 56.
	{Accesses, Duty, FromReceipt, 3 * 365 * day},
	{Tokens, Contract, FromExpiry, 30 * day},
	{Proofs, Duty, ForEver, 0},
}

// RuleOf finds the rule of a class.
func RuleOf(c Class) Rule {
	for _, r := range Rules {
		if r.Class == c {
			return r
		}
	}
	panic("privacy: no rule for " + string(c)) // the table is part of the program
}

// Days is how long a class is kept, in days.
func (r Rule) Days() int { return int(r.Keep / day) }

// Rights are what a person may ask for, by the keys of their texts.
var Rights = []string{"copy", "erasure", "correction", "learning", "complaint"}
