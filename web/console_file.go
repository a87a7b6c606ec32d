package web

import (
	"net/url"
	"strconv"
	"time"

	"doorstep/evidence"
)

// fileView is a complaint's evidence as the page lays it out.
type fileView struct {
	Completeness int
	Size         int64 // leaves of the log that the file is proved by
	Origin       string
	Key          string // that signs it
	Sides        []sideView
	Others       []factView // that speak for nobody
	Missing      []evidence.Missing
	Days         []dayView
	Photos       []photoView
	Opened       []evidence.Entry // who opened the file, oldest first
	Silent       bool             // no provider's feed is known to be whole
}

// photoView is a photo that a record of the file declares.
type photoView struct {
	URL, Text string
}

// sideView is what the records say for somebody.
type sideView struct {
	Title string
	Facts []factView
}

type factView struct {
	Text  string
	Value string
	Truth badge
	From  string // whose word
}

// dayView is a day of the timeline.
type dayView struct {
	Date    string
	Entries []entryView
}

// entryView is one record.
type entryView struct {
	evidence.Entry
	Clock    string // its own time of that day
	Received string // ours
	Skew     string
	Text     string
	From     string
	Index    int64 // its leaf's place in the log
	Proof    string
}

// fileView lays a dossier out.
func (f console) fileView(v frame, d evidence.Dossier) *fileView {
	file := &fileView{
		Completeness: d.File.Completeness, Size: d.Checkpoint.Size, Origin: d.Checkpoint.Origin,
		Key: f.Desks.Clerk.Ledger.Keys.Public()[0], Missing: d.File.Missing, Silent: len(d.File.Feeds) == 0 || len(d.File.Gaps()) > 0,
		Sides: []sideView{
			{v.Text("pack.courier_side"), v.facts(d.File.Supports.Courier)}, {v.Text("pack.consumer_side"), v.facts(d.File.Supports.Consumer)},
		},
		Others: v.facts(d.File.Others()),
	}
	index, arrived := map[string]int64{}, map[string]bool{}
	records := map[string]evidence.Record{}
	for _, r := range d.Records {
		index[r.Leaf.ID] = r.Index
		records[r.Leaf.ID] = evidence.ReadRecord(r.Leaf, r.Disclosure)
		if photo := records[r.Leaf.ID].Arrived(); photo != "" {
			arrived[photo] = true
		}
	}
	for _, e := range d.File.Timeline {
		if e.Kind == evidence.Access {
			file.Opened = append(file.Opened, e)
			continue
		}
		entry := v.entry(e)
		entry.Index = index[e.ID]
		entry.Proof = "/v1/log/proofs/inclusion?" + url.Values{
			"company": {d.Log.Company}, "outlet_id": {d.Log.Outlet}, "record": {e.ID}, "size": {strconv.FormatInt(d.Checkpoint.Size, 10)},
		}.Encode()
		date := v.Day(e.OccurredAt.In(v.zone), v.Now.In(v.zone))
		if n := len(file.Days); n == 0 || file.Days[n-1].Date != date {
			file.Days = append(file.Days, dayView{Date: date})
		}
		day := &file.Days[len(file.Days)-1]
		day.Entries = append(day.Entries, entry)
		if photo := records[e.ID].Photo(); arrived[photo] {
			file.Photos = append(file.Photos, photoView{"/console/photos/" + photo, entry.Text + ", " + v.Exactly(e.OccurredAt)})
		}
	}
	return file
}

func (v frame) entry(e evidence.Entry) entryView {
	return entryView{
		Entry: e, Clock: e.OccurredAt.In(v.zone).Format(time.TimeOnly), Received: v.Exactly(e.ReceivedAt), Skew: v.Skew(e.SkewMS),
		Text: eventOf(v.Texts, e), From: v.Source(e.Source),
	}
}

func (v frame) facts(findings []evidence.Finding) (list []factView) {
	for _, f := range findings {
		fact := factView{Text: v.Text("fact." + f.Fact), Truth: badge{Icon: "query", Text: v.Text("truth.unknown")}}
		switch f.Truth {
		case evidence.True:
			fact.Truth = badge{Tone: "fine", Icon: "check", Text: v.Text("truth.true")}
		case evidence.False:
			fact.Truth = badge{Tone: "late", Icon: "cross", Text: v.Text("truth.false")}
		}
		if !hidden[f.Fact] {
			fact.Value = valueOf(f.Value, v.Exactly)
		}
		if f.Source != "" {
			fact.From = v.Source(f.Source)
		}
		list = append(list, fact)
	}
	return list
}

// hidden are facts whose value says nothing to a person.
var hidden = map[string]bool{"alert.id": true, "sign.photo_hash": true}
