package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/reading"
	"doorstep/store"
)

type importCmd struct {
	Complaints importComplaintsCmd `cmd:"" help:"Complaints: waybill, filed_at, text, category?. What they say is learned."`
	Dispatches importDispatchesCmd `cmd:"" help:"Dispatches: waybill, outlet_id, courier_id, phone, name?, address?, address_id?, dispatched_at?. Those of past days ring nobody."`
}

// importFlags are what both imports take.
type importFlags struct {
	Database database `embed:""`
	Company  string   `default:"default" help:"The carrier."`
	File     string   `arg:"" type:"existingfile" help:"ndjson, or CSV with a header line."`
	DryRun   bool     `help:"Check the rows and write nothing."`
	JSON     bool     `name:"json" help:"Print a verdict a row, as ndjson."`
}

// importVerdict is what became of one row.
type importVerdict struct {
	Line    int                   `json:"line"`
	Waybill string                `json:"waybill"`
	Status  string                `json:"status"` // accepted, duplicate, rejected; valid in a dry run
	ID      string                `json:"id,omitempty"`
	Learned []string              `json:"learned,omitempty"`
	Errors  []doorstep.FieldError `json:"errors,omitempty"`
}

// errRejected makes an import with rejected rows end with a failure.
var errRejected = errors.New("some rows were rejected")

// importBatch is how many rows are taken together.
const importBatch = 500

// run reads the file in batches and prints the verdicts of take.
func (f importFlags) run(ctx context.Context, s *streams, take func([]row) ([]importVerdict, error)) error {
	counts := verdictCounts{}
	out := json.NewEncoder(s.Out)
	err := eachBatch(ctx, s, f.File, "import", f.JSON, func(batch []row) error {
		verdicts, err := take(batch)
		if err != nil {
			return err
		}
		for _, v := range verdicts {
			counts[v.Status]++
			switch {
			case f.JSON:
				err = out.Encode(v)
			case v.Status == "rejected":
				_, err = fmt.Fprintf(s.Out, "line %d: rejected%s\n", v.Line, reasons(v.Errors))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return counts.finish(s.Err)
}

// eachBatch gives the rows of a file to take, importBatch at a time, with a
// progress bar where a person watches and quiet is false.
func eachBatch(ctx context.Context, s *streams, name, doing string, quiet bool, take func([]row) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	bar := progressbar.NewOptions64(info.Size(), progressbar.OptionSetWriter(s.Err), progressbar.OptionShowBytes(true),
		progressbar.OptionSetVisibility(!quiet && isTerminal(s.Err)), progressbar.OptionSetDescription(doing), progressbar.OptionClearOnFinish())
	rows := newRows(name, readCounter{file, bar})
	for batch, more := []row(nil), true; more; batch = batch[:0] {
		for len(batch) < importBatch {
			r, err := rows.next()
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if r == nil {
				more = false
				break
			}
			batch = append(batch, *r)
		}
		if err := take(batch); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// verdictCounts is how many rows got which verdict.
type verdictCounts map[string]int

// finish prints the counts and fails if some rows were rejected.
func (c verdictCounts) finish(w io.Writer) error {
	fmt.Fprintf(w, "valid %d, accepted %d, duplicate %d, rejected %d\n", c["valid"], c["accepted"], c["duplicate"], c["rejected"])
	if c["rejected"] > 0 {
		return errRejected
	}
	return nil
}

func reasons(fields []doorstep.FieldError) (text string) {
	for _, f := range fields {
		text += fmt.Sprintf("; %s %s: %s", f.Pointer, f.Code, f.Detail)
	}
	return text
}

// judge fills a verdict from an item's error. Only errors about the item itself
// are verdicts; any other ends the import.
func (v *importVerdict) judge(err error) error {
	var invalid *doorstep.InvalidError
	var conflict *doorstep.ConflictError
	v.Status = "rejected"
	switch {
	case errors.As(err, &invalid):
		v.Errors = invalid.Fields
	case errors.As(err, &conflict):
		v.Errors = []doorstep.FieldError{{Code: conflict.Code, Detail: conflict.Detail}}
	case errors.Is(err, doorstep.ErrNotFound):
		v.Errors = []doorstep.FieldError{{Pointer: "/waybill", Code: "not_found", Detail: "no such parcel with a known consignee: import its dispatch first"}}
	default:
		return err
	}
	return nil
}

type importDispatchesCmd struct {
	Flags importFlags `embed:""`
}

// Run takes dispatches over. Those of past days make no alerts.
func (c *importDispatchesCmd) Run(ctx context.Context, s *streams) error {
	return c.Flags.Database.with(ctx, func(db *store.DB) error {
		company, err := db.Company(ctx, c.Flags.Company)
		if err != nil {
			return err
		}
		actor := doorstep.Actor{Role: doorstep.RoleIntegrator, Company: company}
		dispatcher := parcels.Dispatcher{Store: db, Now: now, NewID: doorstep.MakeID, Quiet: true}
		return c.Flags.run(ctx, s, func(rows []row) ([]importVerdict, error) {
			return importDispatches(ctx, dispatcher, actor, rows, c.Flags.DryRun)
		})
	})
}

var dispatchColumns = []string{"waybill", "outlet_id", "courier_id", "phone", "name", "address", "address_id", "dispatched_at"}

// order is the dispatch that a row holds, its values checked.
func (r row) order(now time.Time) (parcels.Order, error) {
	o := parcels.Order{
		Waybill: r.fields["waybill"], OutletID: r.fields["outlet_id"], CourierID: r.fields["courier_id"], DispatchedAt: r.fields["dispatched_at"],
		Consignee: parcels.ConsigneeOrder{Phone: r.fields["phone"], Name: r.fields["name"], Address: r.fields["address"], AddressID: r.fields["address_id"]},
	}
	if err := r.check(dispatchColumns); err != nil {
		return o, err
	}
	return o, o.Check(now)
}

func importDispatches(ctx context.Context, d parcels.Dispatcher, a doorstep.Actor, rows []row, dry bool) ([]importVerdict, error) {
	verdicts := make([]importVerdict, len(rows))
	var orders []parcels.Order
	var places []int
	for i, r := range rows {
		verdicts[i] = importVerdict{Line: r.line, Waybill: r.fields["waybill"], Status: "valid"}
		o, err := r.order(d.Now())
		if err != nil {
			if err := verdicts[i].judge(err); err != nil {
				return nil, err
			}
			continue
		}
		orders, places = append(orders, o), append(places, i)
	}
	if dry || len(orders) == 0 {
		return verdicts, nil
	}
	kept, err := d.Dispatch(ctx, a, orders)
	if err != nil {
		return nil, err
	}
	for i, v := range kept {
		verdicts[places[i]].Status = string(v.Status)
		if v.Status == evidence.Rejected {
			if err := verdicts[places[i]].judge(v.Err); err != nil {
				return nil, err
			}
		}
	}
	return verdicts, nil
}

type importComplaintsCmd struct {
	Flags importFlags `embed:""`
}

// Run takes complaints over and learns from them as of when they were filed.
func (c *importComplaintsCmd) Run(ctx context.Context, s *streams) error {
	reader, err := reading.New()
	if err != nil {
		return err
	}
	return c.Flags.Database.with(ctx, func(db *store.DB) error {
		company, err := db.Company(ctx, c.Flags.Company)
		if err != nil {
			return err
		}
		actor := doorstep.Actor{Role: doorstep.RoleIntegrator, Company: company}
		desk := complaints.Desk{Store: db, Read: readWith(reader), Now: now, NewID: doorstep.MakeID}
		return c.Flags.run(ctx, s, func(rows []row) ([]importVerdict, error) {
			return importComplaints(ctx, desk, actor, rows, c.Flags.DryRun)
		})
	})
}

var complaintColumns = []string{"waybill", "filed_at", "text", "category"}

// filing is the complaint that a row holds, its values checked.
func (r row) filing(now time.Time) (complaints.Filing, error) {
	f := complaints.Filing{
		Waybill: r.fields["waybill"], FiledAt: r.fields["filed_at"], Text: r.fields["text"], Category: r.fields["category"], Channel: "import",
	}
	if err := r.check(complaintColumns); err != nil {
		return f, err
	}
	return f, f.Check(now)
}

func importComplaints(ctx context.Context, desk complaints.Desk, a doorstep.Actor, rows []row, dry bool) ([]importVerdict, error) {
	verdicts := make([]importVerdict, len(rows))
	for i, r := range rows {
		v := &verdicts[i]
		*v = importVerdict{Line: r.line, Waybill: r.fields["waybill"], Status: "valid"}
		filing, err := r.filing(desk.Now())
		if err == nil && !dry {
			var c complaints.Complaint
			if c, err = desk.File(ctx, a, filing); err == nil {
				v.Status, v.ID = string(evidence.Accepted), c.ID
				if c.Merged {
					v.Status = string(evidence.Duplicate)
				}
				for _, tag := range c.Learned {
					v.Learned = append(v.Learned, string(tag))
				}
			}
		}
		if err != nil {
			if err := v.judge(err); err != nil {
				return nil, err
			}
		}
	}
	return verdicts, nil
}
