package complaints

import (
	"time"

	"doorstep"
	"doorstep/parcels"
	"doorstep/prefs"
)

// Complaint is one consumer's grievance about one parcel.
type Complaint struct {
	ID         string // by which everybody knows it, also after it was rerouted
	RowID      string // its own at the outlet that has it now
	Company    doorstep.CompanyNo
	Outlet     doorstep.OutletNo
	OutletID   string // the carrier's
	OutletName string
	OutletZone string // IANA name; with the hours, of the rules of a period that opens now
	Hours      parcels.Hours
	Waybill    doorstep.Waybill
	Consumer   doorstep.ConsumerID
	CourierNo  int64 // who had the parcel; 0 if nobody yet
	CourierID  string
	Category   Category
	Status     Status
	Channel    string // where it came in
	Learned    []prefs.Tag
	FiledAt    time.Time
	ReceivedAt time.Time
	RepeatOf   string // the complaint of the same consumer and category within RepeatWindow before it
	Follows    string // the same of any category
	Routing    Routing
	Rerouted   bool   // it came here from the outlet that it went to first
	Handler    string // the name of whoever took it up
	Period     Period // the one that counts now
	HandledAt  time.Time
	ReopenedAt time.Time     // when an answer was first disputed, or the complaint reopened
	ResolvedAt time.Time     // when it was confirmed, closed or withdrawn
	PausedFor  time.Duration // wall time, over all periods that have ended
	Sequence   int64         // of its changes, from 1

	Text     string    // what the consumer said, with what was added since, oldest first
	Messages []Message // between consumer and outlet, oldest first; of one that is read alone
	Merged   bool      // an answer to filing: it was open already
}

// Author says who wrote a message.
type Author string

// The authors.
const (
	FromConsumer Author = "consumer"
	FromOutlet   Author = "outlet"
)

// Message is what consumer and outlet say to each other. What the outlet says
// only to itself is a Note.
type Message struct {
	ID     string
	Author Author
	Text   string
	At     time.Time
}

// Note is for the outlet and headquarters alone. It is kept apart from messages,
// so that no reading of those can show it.
type Note struct {
	ID   string
	By   string // a name
	Text string
	At   time.Time
}

// RepeatWindow is how far back an earlier complaint of the same consumer and
// category makes this one a repeat: 30 times 24 hours between filings.
const RepeatWindow = 30 * 24 * time.Hour
