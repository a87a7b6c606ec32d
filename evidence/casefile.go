package evidence

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"doorstep"
)

// FileRules names the rules by which a file follows from its records. They
// change with this name only, so that an old bundle is judged by its own.
const FileRules = "doorstep/file/v1"

// Case is the complaint that a file is about.
type Case struct {
	ComplaintID string           `json:"complaint_id"`
	Waybill     doorstep.Waybill `json:"waybill"`
	Category    string           `json:"category"`
	FiledAt     time.Time        `json:"filed_at"`
	CourierNo   int64            `json:"courier_no,omitempty"` // ours; 0: nobody had the parcel
}

// Feed says how a feed of contact records was while the parcel was under way. It
// is our word: no record proves it.
type Feed struct {
	Provider string    `json:"provider"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Healthy  Truth     `json:"healthy"`
}

// File is a case laid out: what happened, what it supports, and what is missing.
type File struct {
	Rules        string    `json:"rules"`
	Case         Case      `json:"case"`
	Feeds        []Feed    `json:"feeds"`
	Timeline     []Entry   `json:"timeline"`
	Facts        []Finding `json:"facts"`
	Supports     Supports  `json:"supports"`
	Missing      []Missing `json:"missing"`
	Completeness int       `json:"completeness"` // 0 to 100: see needs.json
}

// Supports are the facts that speak for somebody.
type Supports struct {
	Courier  []Finding `json:"courier"`
	Consumer []Finding `json:"consumer"`
}

// longestWay bounds the time before a complaint in which its parcel was under
// way, where no record says when it set out.
const longestWay = 7 * 24 * time.Hour

// Window is the time in which contacts about the parcel are looked for: from its
// first dispatch until the complaint.
func (c Case) Window(records []Record) (from, to time.Time) {
	from, to = c.FiledAt.Add(-longestWay), c.FiledAt
	first := to
	for _, r := range records {
		if r.Kind == Dispatch && r.OccurredAt.Before(first) {
			first = r.OccurredAt
		}
	}
	if first.Before(to) {
		from = first
	}
	return from, to
}

// Assemble lays a case out. The same records, in any order, and the same feeds
// give the same file.
func Assemble(c Case, records []Record, feeds []Feed) File {
	records = slices.Clone(records)
	slices.SortFunc(records, func(a, b Record) int {
		return cmp.Or(a.OccurredAt.Compare(b.OccurredAt), a.ReceivedAt.Compare(b.ReceivedAt), strings.Compare(a.ID, b.ID))
	})
	v := newView(c, records, feeds)
	f := File{
		Rules: FileRules, Case: c, Feeds: append([]Feed{}, feeds...), Timeline: []Entry{},
		Supports: Supports{Courier: []Finding{}, Consumer: []Finding{}}, Missing: []Missing{},
	}
	for _, r := range records {
		f.Timeline = append(f.Timeline, c.entry(r))
	}
	for _, rule := range rules {
		finding := rule.find(v)
		finding.Fact = rule.fact
		f.Facts = append(f.Facts, finding)
		switch finding.helps(rule) {
		case courier:
			f.Supports.Courier = append(f.Supports.Courier, finding)
		case consumer:
			f.Supports.Consumer = append(f.Supports.Consumer, finding)
		}
	}
	f.Missing, f.Completeness = v.weigh(f.Facts)
	return f
}

// Entries are the lines of some kinds.
func (f File) Entries(kinds ...Kind) []Entry {
	list := []Entry{}
	for _, e := range f.Timeline {
		if slices.Contains(kinds, e.Kind) {
			list = append(list, e)
		}
	}
	return list
}

// Contacts are the tries to reach the consumer.
func (f File) Contacts() []Entry { return f.Entries(Call, Message, Attempt) }

// Consents are what the consumer allowed, and how the parcel was handed over.
func (f File) Consents() []Entry { return f.Entries(Consent, SignFor, Correction) }

// Gaps are the feeds that were not known to be healthy.
func (f File) Gaps() []Feed {
	return slices.DeleteFunc(slices.Clone(f.Feeds), func(feed Feed) bool { return feed.Healthy == True })
}

// Others are the facts that speak for nobody.
func (f File) Others() []Finding {
	listed := map[string]bool{}
	for _, finding := range slices.Concat(f.Supports.Courier, f.Supports.Consumer) {
		listed[finding.Fact] = true
	}
	return slices.DeleteFunc(slices.Clone(f.Facts), func(finding Finding) bool { return listed[finding.Fact] })
}
