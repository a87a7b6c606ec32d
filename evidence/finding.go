package evidence

import "time"

// Finding is one fact of a case, with the records that it rests on.
type Finding struct {
	Fact    string   `json:"fact"`
	Truth   Truth    `json:"truth"`
	Value   any      `json:"value,omitempty"`  // a time, a number or a word
	Source  Source   `json:"source,omitempty"` // of the least independent record, or of the feed that had none
	Records []string `json:"records"`
	feed    bool     // it would have come from a provider
	neutral bool     // it speaks for nobody after all
	carried []Kind   // the kinds of record that would carry it
}

// side is whom a fact speaks for.
type side int

const (
	nobody side = iota
	courier
	consumer
)

// rule says how a fact is found and whom it speaks for.
type rule struct {
	fact      string
	whenTrue  side
	whenFalse side
	find      func(*view) Finding
}

// helps says whom a finding speaks for. What a phone or a person says may help
// the courier and never harm him: the one could be tampered with, the other is
// a party.
func (f Finding) helps(r rule) side {
	whom := nobody
	switch f.Truth {
	case True:
		whom = r.whenTrue
	case False:
		whom = r.whenFalse
	}
	if f.neutral {
		return nobody
	}
	if whom == consumer && f.Source != Provider && f.Source != Server {
		return nobody
	}
	return whom
}

// rules are the facts of a file, in their order. Their names are what policies
// speak of.
var rules = []rule{
	{"dispatch.at", nobody, nobody, (*view).dispatchAt},
	{"alert.id", consumer, courier, (*view).alertID},
	{"alert.pushed_at", consumer, courier, (*view).alertPushedAt},
	{"alert.delivered_at", nobody, courier, (*view).alertDeliveredAt},
	{"alert.opened_at", nobody, courier, (*view).alertOpenedAt},
	{"contact.first_attempt_at", courier, consumer, (*view).firstAttemptAt},
	{"contact.attempts_before_sign", courier, consumer, (*view).attemptsBeforeSign},
	{"contact.attempts_after_complaint", courier, nobody, (*view).attemptsAfterComplaint},
	{"contact.real_ring", courier, consumer, (*view).realRing},
	{"contact.ring_seconds", courier, consumer, (*view).ringSeconds},
	{"contact.talk_seconds", courier, consumer, (*view).talkSeconds},
	{"contact.reachable", nobody, courier, (*view).reachable},
	{"msg.delivered_at", courier, consumer, (*view).deliveredAt},
	{"msg.read_at", courier, nobody, (*view).readAt},
	{"msg.reply", nobody, nobody, (*view).reply},
	{"attempt.failed", courier, nobody, (*view).failedAttempts},
	{"consent.kind", courier, consumer, (*view).consentKind},
	{"sign.at", nobody, nobody, (*view).signAt},
	{"sign.kind", nobody, nobody, (*view).signKind},
	{"sign.geo_distance_m", courier, consumer, (*view).geoDistance},
	{"sign.photo_hash", courier, nobody, (*view).photoHash},
	{"sign.photo_taken_at", nobody, nobody, (*view).photoTakenAt},
}

// view is a case's records sorted by what they tell of.
type view struct {
	c        Case
	records  []Record
	healthy  Truth // of all feeds that would have carried a contact
	from, to time.Time
	contacts []*contact
	sign     *Record // what was last said of how it was handed over; nil: nothing, or it was withdrawn
}

func newView(c Case, records []Record, feeds []Feed) *view {
	v := &view{c: c, records: records, contacts: contacts(c, records), healthy: Unknown}
	v.from, v.to = c.Window(records)
	for i, f := range feeds {
		if v.healthy = v.healthy.And(f.Healthy); i == 0 {
			v.healthy = f.Healthy
		}
	}
	for i := range records {
		switch kind := records[i].Kind; {
		case kind != SignFor && kind != Correction:
		case records[i].text("act") == "withdrawal":
			v.sign = nil
		case records[i].has("method"):
			v.sign = &records[i]
		}
	}
	return v
}

// of are the records of some kinds that pass a test.
func (v *view) of(keep func(Record) bool, kinds ...Kind) (list []Record) {
	for _, r := range v.records {
		for _, k := range kinds {
			if r.Kind == k && keep(r) {
				list = append(list, r)
			}
		}
	}
	return list
}

func anyRecord(Record) bool { return true }

// shown is a finding that rests on records.
func shown(t Truth, value any, records ...Record) Finding {
	f := Finding{Truth: t, Value: value, Records: []string{}, Source: Provider}
	for _, r := range records {
		f.Records, f.Source = append(f.Records, r.ID), weaker(f.Source, r.About.Source)
	}
	return f
}

// shownBy is a finding that rests on contacts.
func shownBy(t Truth, value any, list ...*contact) Finding {
	f := Finding{Truth: t, Value: value, Records: []string{}, Source: Provider}
	for _, k := range list {
		f.Records, f.Source = append(f.Records, k.ids...), weaker(f.Source, k.source)
	}
	return f
}

// noContact is a finding that no provider's record shows: false where the feeds
// were healthy and nothing was erased, else unknown.
func (v *view) noContact(value any) Finding {
	f := Finding{Truth: Unknown, Value: value, Records: []string{}, Source: Provider, feed: true, carried: []Kind{Call, Message}}
	if v.healthy == True {
		f.Truth = False
	}
	return v.unlessErased(f)
}

// notKept is a finding that no record of our own server shows: it would be there.
func (v *view) notKept(kinds ...Kind) Finding {
	return v.unlessErased(Finding{Truth: False, Records: []string{}, Source: Server, carried: kinds})
}

// notSent is a finding that a phone would have shown. It need not have sent
// anything.
func (v *view) notSent(kinds ...Kind) Finding {
	return Finding{Truth: Unknown, Records: []string{}, carried: kinds}
}

// notTold is a finding that a provider might have told of and did not.
func notTold(kinds ...Kind) Finding {
	return Finding{Truth: Unknown, Records: []string{}, feed: true, carried: kinds}
}

// unlessErased makes a finding unknown if a record that might show it was
// erased.
func (v *view) unlessErased(f Finding) Finding {
	if f.Truth == False && v.erased(f.carried) {
		f.Truth = Unknown
	}
	if f.Truth == Unknown {
		f.Source, f.Value = "", nil
	}
	return f
}

// erased says whether a record of the kinds lost values.
func (v *view) erased(kinds []Kind) bool {
	return len(v.of(func(r Record) bool { return r.Erased }, kinds...)) > 0
}
