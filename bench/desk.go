package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"doorstep"
	"doorstep/access"
	"doorstep/complaints"
	"doorstep/kpi"
	"doorstep/parcels"
	"doorstep/store"
	"doorstep/vault"
)

// said are what consumers of the benchmark complain of, each read anew.
var said = []string{
	"又没问我就把包裹塞进快递柜，以后不要再放快递柜了。",
	"显示已签收，可是我根本没有收到，到底是谁签的？",
	"等了三天还没送到，电话也没人接，太慢了。",
	"The box was crushed and the cup inside is broken.",
	"He left it at the pickup point again although I was at home all day. Please call before you come.",
	"快递员态度很差，让我自己下楼去拿，不肯送上门。",
}

// filing is complaints of an integrator over 8 connections, each about a parcel of
// its own, each read, learned from and counted.
func (s *stage) filing(ctx context.Context) (rows []Row, err error) {
	const connections = 8
	x, err := s.newTaughtSite(ctx)
	if err != nil {
		return nil, err
	}
	defer x.closeInto(&err)
	server, err := x.serve(ctx)
	if err != nil {
		return nil, err
	}
	parcels := x.town.waybill.Load()
	out := int(fastestFiling * s.Scale.Slice.Seconds() * float64(s.Runs+1))
	if _, err := fixedLoop(ctx, target{server.addr, []feed{x.town.batches(0, unit)}}, (out/unit+1)*unit); err != nil {
		return nil, err
	}
	t := target{server.addr, feeds(connections, func(i int) *filings {
		return &filings{token: x.town.token, waybill: parcels + int64(i), step: connections}
	})}
	if err := s.warmUp(ctx, t); err != nil {
		return nil, err
	}
	row := Row{Name: "filing", Title: "complaints filed over 8 connections, their text read", Unit: "complaints/s", Goal: &Goal{Must: 500}}
	row.Runs, err = s.pairs(ctx, func(ctx context.Context) (float64, error) { return closedLoop(ctx, s.Scale.Slice, t) }, nil)
	return []Row{row.sum()}, err
}

// fastestFiling is more than can be filed in a second: so many parcels are made
// ready.
const fastestFiling = 5000

// filings is the feed of complaints of one connection.
type filings struct {
	token         string
	waybill, step int64
}

func (f *filings) next() []byte {
	f.waybill += f.step
	whole, _ := request("POST", "/v1/complaints", f.token,
		[]byte(`{"waybill":"`+waybillOf(f.waybill)+`","text":"`+said[int(f.waybill/f.step)%len(said)]+`"}`))
	return whole
}

func (f *filings) check(body []byte) error {
	if !bytes.Contains(body, []byte(`"status":"filed"`)) || bytes.Contains(body, []byte(`"merged":true`)) {
		return fmt.Errorf("not a new complaint: %.300s", body)
	}
	return nil
}

func (f *filings) items() int { return 1 }

// figured is how many days of complaints a desk of the benchmark has.
const figured = 31

// desks is what an outlet's queue and the figures of a month cost where a company
// has a thousand outlets and many complaints.
func (s *stage) desks(ctx context.Context) (rows []Row, err error) {
	x, err := s.newTaughtSite(ctx)
	if err != nil {
		return nil, err
	}
	defer x.closeInto(&err)
	outlets, err := x.complain(ctx, s.Complaints)
	if err != nil {
		return nil, err
	}
	secrets, err := x.tokens(ctx, access.Request{Role: doorstep.RoleManager, OutletID: outletID(outlets / 2), Subject: "bench"},
		access.Request{Role: doorstep.RoleHQ, Subject: "bench"})
	if err != nil {
		return nil, err
	}
	server, err := x.serve(ctx)
	if err != nil {
		return nil, err
	}
	client, err := dial(ctx, server.addr)
	if err != nil {
		return nil, err
	}
	defer client.close()
	to := now()
	month := "/v1/kpis?from=" + to.AddDate(0, 0, 1-figured).Format(time.DateOnly) + "&to=" + to.Format(time.DateOnly)
	size := fmt.Sprintf(" (%s complaints, %d outlets)", millions(s.Complaints), outlets)
	for _, one := range []struct {
		name, title, path, token string
		limit                    float64
	}{
		{"queue", "an outlet's queue, the most urgent first" + size, "/v1/complaints?sort=due", secrets[0], 20},
		{"month", "the figures of an outlet's month" + size, month, secrets[0], 200},
		{"company", "the figures of a company's month" + size, month, secrets[1], 2000},
	} {
		row := Row{Name: one.name, Title: one.title, Unit: "ms", Goal: &Goal{Must: one.limit, AtMost: true}}
		whole, _ := request("GET", one.path, one.token, nil)
		row.Runs, err = s.pairs(ctx, func(context.Context) (float64, error) {
			began := time.Now()
			body, err := client.exchange(whole)
			if err == nil && !bytes.Contains(body, []byte(`"items":[{`)) {
				err = fmt.Errorf("nothing in %.300s", body)
			}
			return millis(time.Since(began)), err
		}, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.name, err)
		}
		rows = append(rows, row.sum())
	}
	return rows, nil
}

// complain gives a thousand outlets, fewer where there is little to complain of,
// so many complaints over the last days: rows like that of the one complaint
// there is, most of them answered. Then every day is counted.
func (x *site) complain(ctx context.Context, number int) (outlets int, err error) {
	outlets = min(1000, max(1, number/100))
	err = x.with(ctx, func(db *store.DB) error {
		no, err := db.Company(ctx, company)
		if err != nil {
			return err
		}
		roster := parcels.Roster{Store: db, Now: now, TimeZone: zone(now())}
		for i := range outlets {
			if _, err := roster.PutOutlet(ctx, doorstep.Actor{Role: doorstep.RoleIntegrator, Company: no}, parcels.Outlet{ID: outletID(i), Name: outletID(i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if err := x.copyComplaints(ctx, number); err != nil {
		return 0, err
	}
	return outlets, x.with(ctx, func(db *store.DB) error {
		_, err := (&kpi.Keeper{Store: db, Now: now}).Rebuild(ctx)
		return err
	})
}

func (x *site) copyComplaints(ctx context.Context, number int) error {
	f, err := newFiller(x.url)
	if err != nil {
		return err
	}
	defer f.close()
	tables, err := f.tables(ctx)
	if err != nil {
		return err
	}
	t := tables[slices.IndexFunc(tables, func(t table) bool { return t.name == "complaint" })]
	list, err := f.rows(ctx, t, "")
	if err != nil {
		return err
	}
	if len(list) != 1 {
		return errors.New("there is no complaint to copy")
	}
	var numbers []doorstep.OutletNo
	if err := f.SelectContext(ctx, &numbers, `select no from outlet order by no`); err != nil {
		return err
	}
	if err := f.dropIndexes(ctx, t.name); err != nil {
		return err
	}
	at := map[string]int{}
	for i, column := range t.columns {
		at[column] = i
	}
	span := (figured * 24 * time.Hour).Milliseconds()
	last := now().UnixMilli()
	progress := newProgress(x.stage.Log, t.name, number)
	var statements []insertion
	var args []any
	for i := range number {
		row := slices.Clone(list[0])
		filed := last - span + int64(float64(span)*float64(i)/float64(number))
		outlet := numbers[i%len(numbers)]
		id := doorstep.MakeID(outlet)
		body, err := x.vault.Seal([]byte(said[i%len(said)]), vault.Place{Table: t.name, Column: "body", Row: fmt.Sprintf("%d|%s", outlet, id)})
		if err != nil {
			return err
		}
		for column, v := range map[string]any{
			"outlet_no": int64(outlet), "id": id, "body": body, "waybill": "C" + strconv.Itoa(i),
			"consumer_id": "bench-" + strconv.Itoa(i%(number*4/5+1)), "courier_no": int64(1 + i/len(numbers)%10),
			"category": string(complaints.Categories[i%13]), "filed_at_ms": filed, "received_at_ms": filed, "promise_due_at_ms": filed + 86_400_000,
			"alarm_at_ms": nil, // everybody was told in his time
		} {
			row[at[column]] = v
		}
		if i/len(numbers)%20 != 0 { // one in twenty is still in the queue
			row[at["status"]], row[at["handled_at_ms"]] = string(complaints.ClosedUnconfirmed), filed+int64(i%30)*3_600_000
		}
		args = append(args, row...)
		if (i+1)%f.atOnce == 0 || i+1 == number {
			statements, args = append(statements, insertion{t, len(args) / len(t.columns), args}), nil
		}
		if len(statements) == many || i+1 == number {
			if err := f.run(ctx, statements); err != nil {
				return err
			}
			statements = nil
		}
		progress.at(i + 1)
	}
	return f.finish(ctx)
}
