package telephony

import (
	"context"
	"fmt"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// Status is what became of a record at the door.
type Status = evidence.Status

// Conflict is a record under the key of another with other content: kept beside
// it, flagged, and never folded.
const Conflict = Status("conflict")

// Verdict is the answer to one record.
type Verdict struct {
	EventID string // "" if it cannot be read
	Status  Status
	Err     error
}

// Store is what an Exchange needs kept.
type Store interface {
	// AddRecords keeps a provider's records, sealed, and notes that the provider was
	// heard. The statuses stand in the order of the records.
	AddRecords(ctx context.Context, company doorstep.CompanyNo, p Provider, list []Record, at time.Time) ([]Status, error)
	// AddHeartbeat notes that the provider was heard.
	AddHeartbeat(ctx context.Context, company doorstep.CompanyNo, p Provider, at time.Time) error
	// AddTotal keeps how many records a provider says there were on a day.
	AddTotal(ctx context.Context, company doorstep.CompanyNo, p Provider, day string, records int, at time.Time) error
}

// Exchange takes what providers send and keeps it before it answers.
type Exchange struct {
	Store Store
	Now   func() time.Time
}

// Receive keeps a provider's request, record by record: a bad one harms no other.
// A request that its provider did not send is refused as forbidden.
func (x *Exchange) Receive(ctx context.Context, c Caller, p Provider, d Delivery) ([]Verdict, Answer, error) {
	adapter, ok := adapters[p]
	if !ok {
		return nil, Answer{}, doorstep.NotFound("provider", string(p))
	}
	d.At = x.Now()
	if !c.admits(p, d) {
		return nil, Answer{}, &doorstep.ForbiddenError{Code: "not_the_provider", Detail: "the address or the signature is not the provider's"}
	}
	raw, err := adapter.split(d)
	if err != nil {
		return nil, Answer{}, err
	}
	verdicts := make([]Verdict, len(raw))
	var list []Record
	var places []int
	for i := range raw {
		r := adapter.record(raw[i], d.At)
		if p == Generic && r.Err != nil { // the carrier can be told; a provider cannot, so its record is kept and flagged
			verdicts[i] = Verdict{EventID: r.Event.Key, Status: evidence.Rejected, Err: r.Err}
			continue
		}
		verdicts[i].EventID = r.Key
		list, places = append(list, r), append(places, i)
	}
	if len(list) > 0 {
		kept, err := x.Store.AddRecords(ctx, c.Company, p, list, d.At)
		if err != nil {
			return nil, Answer{}, fmt.Errorf("records of %s: %w", p, err)
		}
		for i, status := range kept {
			v := &verdicts[places[i]]
			if v.Status = status; status == Conflict {
				v.Status, v.Err = evidence.Rejected, errOtherContent
			}
		}
	}
	return verdicts, adapter.answer, nil
}

var errOtherContent = &doorstep.ConflictError{
	Code: "conflict", Detail: "a record with this id and other content is kept already; this one is kept beside it and flagged",
}

// Heartbeat notes that a feed is alive though it has nothing to report.
func (x *Exchange) Heartbeat(ctx context.Context, a doorstep.Actor, p Provider) (time.Time, error) {
	if _, ok := adapters[p]; !ok {
		return time.Time{}, doorstep.NotFound("provider", string(p))
	}
	at := x.Now()
	return at, x.Store.AddHeartbeat(ctx, a.Company, p, at)
}

// maxTotal is more records than a company has in a day.
const maxTotal = 100_000_000

// Declare keeps how many records a provider had for a day. A later word replaces
// an earlier one.
func (x *Exchange) Declare(ctx context.Context, a doorstep.Actor, p Provider, day string, records int) error {
	if _, ok := adapters[p]; !ok {
		return doorstep.NotFound("provider", string(p))
	}
	var checks doorstep.Checks
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		checks.Add("/day", "invalid_day", "must be a day such as 2026-11-28")
	}
	if records < 0 || records > maxTotal {
		checks.Add("/records", "out_of_range", fmt.Sprintf("must be 0 to %d", maxTotal))
	}
	if err := checks.Err(); err != nil {
		return err
	}
	return x.Store.AddTotal(ctx, a.Company, p, day, records, x.Now())
}
