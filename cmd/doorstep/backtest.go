package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"doorstep"
	"doorstep/backtest"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/reading"
)

// backtestCmd replays a carrier's past in memory. docs/backtest.md defines what
// it prints.
type backtestCmd struct {
	Dispatches  string `arg:"" type:"existingfile" help:"What import dispatches takes, each row with its dispatched_at."`
	Complaints  string `arg:"" type:"existingfile" help:"What import complaints takes, each row with its filed_at."`
	HorizonDays int    `default:"90" help:"For how long after a dispatch the consumer's words say whether its alert was needed and right."`
	TimeZone    string `env:"DOORSTEP_TIME_ZONE" default:"Asia/Shanghai" help:"Time zone of the outlets' days."`
	JSON        bool   `name:"json" help:"Print the report as JSON, and verdicts of rejected rows as ndjson."`
}

// Run prints the report on standard output and the rejected rows on standard
// error; it ends with a failure if there were any. The order of the rows does
// not matter: they are sorted by their times.
func (c *backtestCmd) Run(ctx context.Context, s *streams) error {
	if c.HorizonDays < 1 {
		return errors.New("--horizon-days must be at least 1")
	}
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return fmt.Errorf("--time-zone: %w", err)
	}
	reader, err := reading.New()
	if err != nil {
		return err
	}
	past, read := backtest.NewPast(zone), readWith(reader)
	counts := verdictCounts{}
	err = c.take(ctx, s, c.Dispatches, counts, func(r row) (importVerdict, error) { return takeDispatch(past, r) })
	if err != nil {
		return err
	}
	err = c.take(ctx, s, c.Complaints, counts, func(r row) (importVerdict, error) { return takeComplaint(past, read, r) })
	if err != nil {
		return err
	}
	report, err := past.Run(ctx, backtest.Options{Horizon: time.Duration(c.HorizonDays) * 24 * time.Hour})
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(s.Out)
		enc.SetIndent("", "  ")
		err = enc.Encode(report)
	} else {
		err = report.Write(s.Out)
	}
	if err != nil {
		return err
	}
	return counts.finish(s.Err)
}

// take gives each row of a file to one and tells of those that it rejects.
func (c *backtestCmd) take(ctx context.Context, s *streams, name string, counts verdictCounts, one func(row) (importVerdict, error)) error {
	return eachBatch(ctx, s, name, "read", c.JSON, func(rows []row) error {
		for _, r := range rows {
			v, err := one(r)
			if err != nil {
				return err
			}
			counts[v.Status]++
			if v.Status != string(evidence.Rejected) {
				continue
			}
			if err := tellRejected(s.Err, name, v, c.JSON); err != nil {
				return err
			}
		}
		return nil
	})
}

func tellRejected(w io.Writer, name string, v importVerdict, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(struct {
			File string `json:"file"`
			importVerdict
		}{name, v})
	}
	_, err := fmt.Fprintf(w, "%s line %d: rejected%s\n", name, v.Line, reasons(v.Errors))
	return err
}

func takeDispatch(past *backtest.Past, r row) (importVerdict, error) {
	v := importVerdict{Line: r.line, Waybill: r.fields["waybill"], Status: string(evidence.Rejected)}
	o, err := r.order(now())
	if err == nil && o.DispatchedAt == "" {
		err = untimed("/dispatched_at")
	}
	if err != nil {
		err = v.judge(err)
		return v, err
	}
	d := backtest.Dispatch{}
	if d.Waybill, err = doorstep.ParseWaybill(o.Waybill); err != nil {
		return v, err
	}
	phone, err := doorstep.ParsePhone(o.Consignee.Phone)
	if err != nil {
		return v, err
	}
	if d.Outlet, err = doorstep.CheckID(o.OutletID); err != nil {
		return v, err
	}
	if d.Courier, err = doorstep.CheckID(o.CourierID); err != nil {
		return v, err
	}
	if o.Consignee.AddressID != "" {
		if d.AddressID, err = doorstep.CheckID(o.Consignee.AddressID); err != nil {
			return v, err
		}
	}
	if d.At, err = time.Parse(time.RFC3339, o.DispatchedAt); err != nil {
		return v, err
	}
	d.Consumer = string(phone)
	added, err := past.AddDispatch(d)
	switch {
	case err != nil:
		err = v.judge(err)
		return v, err
	case added:
		v.Status = string(evidence.Accepted)
	default:
		v.Status = string(evidence.Duplicate)
	}
	return v, nil
}

func takeComplaint(past *backtest.Past, read func(string) complaints.Reading, r row) (importVerdict, error) {
	v := importVerdict{Line: r.line, Waybill: r.fields["waybill"], Status: string(evidence.Rejected)}
	f, err := r.filing(now())
	if err == nil && f.FiledAt == "" {
		err = untimed("/filed_at")
	}
	if err != nil {
		err = v.judge(err)
		return v, err
	}
	text, err := doorstep.CheckText(f.Text, 1, len(f.Text))
	if err != nil {
		return v, err
	}
	c := backtest.Complaint{Category: complaints.Category(f.Category)}
	said := read(text)
	c.Lessons = complaints.Lessons(said, c.Category)
	if c.Category == "" {
		c.Category = said.Category
	}
	if c.Waybill, err = doorstep.ParseWaybill(f.Waybill); err != nil {
		return v, err
	}
	if c.At, err = time.Parse(time.RFC3339, f.FiledAt); err != nil {
		return v, err
	}
	if err := past.AddComplaint(c); err != nil {
		err = v.judge(err)
		return v, err
	}
	v.Status = string(evidence.Accepted)
	return v, nil
}

func untimed(pointer string) error {
	return &doorstep.InvalidError{Fields: []doorstep.FieldError{{
		Pointer: pointer, Code: "required", Detail: "must be given: a replay needs to know when",
	}}}
}
