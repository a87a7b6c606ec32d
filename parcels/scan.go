package parcels

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// ScanOrder is one custody scan as a carrier's system sends it.
type ScanOrder struct {
	Waybill   string
	OutletID  string
	Code      string // the carrier's or ours; kept as it is
	System    string // whose code it is; "" = the carrier's own or ours
	At        string // RFC 3339
	Consignee *ConsigneeOrder
}

// Scan is one event of the custody chain before dispatch.
type Scan struct {
	Outlet     doorstep.OutletNo
	Waybill    doorstep.Waybill
	Code       string
	Status     ParcelStatus // what the code means; "" where that is not known
	At         time.Time
	ReceivedAt time.Time
	Consignee  *Consignee // nil if the carrier did not say
	Consumer   doorstep.ConsumerID
	AddressID  string
	Fact       evidence.Fact
}

// ScanStore is what a Scanner needs kept.
type ScanStore interface {
	Posts(ctx context.Context, company doorstep.CompanyNo, outlets []string, works map[string][]string) (Posts, error)
	// AddScans keeps the scans of one outlet, and the facts of those that are new,
	// in one transaction and says of each whether it was.
	AddScans(ctx context.Context, company doorstep.CompanyNo, list []Scan) (fresh []bool, err error)
	Consumer(company doorstep.CompanyNo, phone doorstep.Phone) doorstep.ConsumerID
}

// Scanner keeps the custody chain.
type Scanner struct {
	Store ScanStore
	Now   func() time.Time
	NewID doorstep.IDMaker
}

const maxScanCode = 64

// Scan keeps a batch of scans, with a verdict each. Key of a scan: outlet,
// waybill, code and time.
func (s *Scanner) Scan(ctx context.Context, a doorstep.Actor, orders []ScanOrder) ([]Verdict, error) {
	if len(orders) == 0 || len(orders) > MaxBatch {
		return nil, evidence.ErrBatchSize("/scans", MaxBatch)
	}
	now := s.Now()
	verdicts := make([]Verdict, len(orders))
	byOutlet := map[string][]Scan{}
	places := map[string][]int{}
	for i, o := range orders {
		scan, outletID, err := s.check(a, o, now)
		verdicts[i].Waybill, verdicts[i].Means = scan.Waybill, scan.Status
		if err != nil {
			verdicts[i].reject(err)
			continue
		}
		byOutlet[outletID], places[outletID] = append(byOutlet[outletID], scan), append(places[outletID], i)
	}
	outlets := make([]string, 0, len(byOutlet))
	for id := range byOutlet {
		outlets = append(outlets, id)
	}
	slices.SortFunc(outlets, strings.Compare)
	posts, err := s.Store.Posts(ctx, a.Company, outlets, nil)
	if err != nil {
		return nil, err
	}
	for _, id := range outlets {
		list := byOutlet[id]
		for i := range list {
			list[i].Outlet = posts.Outlets[id].No
			list[i].Fact.Outlet, list[i].Fact.ID = list[i].Outlet, s.NewID(list[i].Outlet)
		}
		fresh, err := s.Store.AddScans(ctx, a.Company, list)
		if err != nil {
			return nil, fmt.Errorf("%w: scans of outlet %d: %w", doorstep.ErrUnavailable, posts.Outlets[id].No, err)
		}
		for i, at := range places[id] {
			verdicts[at].Status = evidence.Duplicate
			if fresh[i] {
				verdicts[at].Status = evidence.Accepted
			}
		}
	}
	return verdicts, nil
}

func (s *Scanner) check(a doorstep.Actor, o ScanOrder, now time.Time) (Scan, string, error) {
	var checks doorstep.Checks
	scan := Scan{ReceivedAt: now}
	var err error
	scan.Waybill, err = doorstep.ParseWaybill(o.Waybill)
	checks.Under("/waybill", err)
	outletID, err := doorstep.CheckID(o.OutletID)
	checks.Under("/outlet_id", err)
	scan.Code, err = doorstep.CheckText(o.Code, 1, maxScanCode)
	checks.Under("/code", err)
	if o.System != "" && !slices.Contains(CodeSystems, CodeSystem(o.System)) {
		checks.Add("/system", "unknown_system", "must be doorstep, kuaidi100, aftership, upu or rec24")
	}
	scan.Status, _ = StatusOf(CodeSystem(o.System), scan.Code)
	scan.At = doorstep.ParseEventTime("/at", o.At, now, &checks)
	if o.Consignee != nil {
		c, addressID := o.Consignee.check("/consignee", &checks)
		scan.Consignee, scan.AddressID = &c, addressID
		scan.Consumer = s.Store.Consumer(a.Company, c.Phone)
	}
	scan.Fact = scan.fact(o.System)
	return scan, outletID, checks.Err()
}

// fact is the scan as a record, without id and outlet.
func (s Scan) fact(system string) evidence.Fact {
	f := evidence.Fact{Kind: evidence.Scan, Source: evidence.Server, Waybill: s.Waybill, OccurredAt: s.At, ReceivedAt: s.ReceivedAt}
	for _, field := range []evidence.Field{{Name: "code", Value: s.Code}, {Name: "system", Value: system}, {Name: "status", Value: string(s.Status)}} {
		if field.Value != "" {
			f.Fields = append(f.Fields, field)
		}
	}
	return f
}
