package evidence

import (
	"time"

	"doorstep"
)

// Opened says which view of personal data somebody opened.
type Opened string

// What can be opened.
const (
	OpenedList   Opened = "evidence_list"  // GET /v1/evidence
	OpenedFile   Opened = "evidence_file"  // a complaint's file
	OpenedBundle Opened = "bundle"         // the file as a zip
	OpenedPack   Opened = "regulator_pack" // the file for a regulator
	OpenedPhoto  Opened = "photo"          // a picture
	OpenedExport Opened = "export"         // what is kept about a consumer, by himself
)

// AccessFact records that a opened what, at an outlet: who saw, in which role,
// what and when. It is written before the answer, so that nothing is shown
// unrecorded. complaint and w are those of a single file, else empty; shown are
// the parcels that the answer tells of, of a list. A consumer is named by his
// role alone.
func AccessFact(id string, outlet doorstep.OutletNo, a doorstep.Actor, what Opened, complaint string, w doorstep.Waybill, shown []string, now time.Time) Fact {
	fields := []Field{{"opened", string(what)}, {"role", string(a.Role)}}
	if by := accessor(a); by != "" {
		fields = append(fields, Field{"by", by})
	}
	if len(shown) > 0 {
		fields = append(fields, Field{"waybills", shown})
	}
	return Fact{
		ID: id, Outlet: outlet, Kind: Access, Source: Server, Waybill: w, ComplaintID: complaint,
		OccurredAt: now, ReceivedAt: now, Fields: fields,
	}
}

// accessor names who opened something: a named human, or a courier by the
// carrier's id.
func accessor(a doorstep.Actor) string {
	if a.Role == doorstep.RoleCourier {
		return a.Courier
	}
	return a.Subject
}
