package bench

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"doorstep"
	"doorstep/access"
)

// uploads is calls of 100 records from couriers' phones, against the raw engine
// that inserts the rows which the server wrote for such calls.
func (s *stage) uploads(ctx context.Context) (rows []Row, err error) {
	const connections, size = 8, 100
	x, err := s.newTaughtSite(ctx)
	if err != nil {
		return nil, err
	}
	defer x.closeInto(&err)
	var who []access.Request
	for i := range connections {
		who = append(who, access.Request{Role: doorstep.RoleCourier, CourierID: courierID(i * rounds)})
	}
	secrets, err := x.tokens(ctx, who...)
	if err != nil {
		return nil, err
	}
	server, err := x.serve(ctx)
	if err != nil {
		return nil, err
	}
	var own []feed
	for i, secret := range secrets {
		parcels := x.town.waybill.Load()
		if _, err := fixedLoop(ctx, target{server.addr, []feed{x.town.round(i, i*rounds, size)}}, size); err != nil {
			return nil, err
		}
		own = append(own, newRecords(secret, parcels, size, uint64(i)))
	}
	written, err := x.sampleUploads(ctx, server, own[0])
	if err != nil {
		return nil, err
	}
	reference, err := x.newReference(ctx, written, connections)
	if err != nil {
		return nil, err
	}
	defer reference.close()
	t := target{server.addr, own}
	if err := s.warmUp(ctx, t); err != nil {
		return nil, err
	}
	row := Row{
		Name: "uploads", Title: "evidence from phones, batches of 100 over 8 connections", Unit: "records/s", Goal: &Goal{Must: 0.40, Aim: 0.70},
		Against: reference.describe("records"),
	}
	row.Runs, err = s.against(ctx, t, reference)
	return []Row{row.sum()}, err
}

// sampleUploads takes what the server writes for 1,000 records.
func (x *site) sampleUploads(ctx context.Context, server *process, f feed) (*sample, error) {
	e, err := newEngine(x.url, nil)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	if err := pause(ctx, x.stage.Scale.Seal); err != nil {
		return nil, err
	}
	before, err := e.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := fixedLoop(ctx, target{server.addr, []feed{f}}, unit); err != nil {
		return nil, err
	}
	if err := pause(ctx, x.stage.Scale.Seal); err != nil {
		return nil, err
	}
	return e.since(ctx, before, 1, unit, false)
}

// records is the feed of one courier's uploads: calls, messages, places and
// attempts, under new ids each time.
type records struct {
	request []byte
	ids     []int // where the UUIDs begin
	chance  *rand.Rand
}

// newRecords makes a feed about the parcels from the waybill first on.
func newRecords(token string, first int64, size int, seed uint64) *records {
	r := &records{chance: rand.New(rand.NewPCG(4, seed))}
	kinds := []string{
		`"kind":"call","direction":"outgoing","duration_s":23,"outcome":"answered"`,
		`"kind":"call","direction":"outgoing","duration_s":0,"outcome":"no_answer"`,
		`"kind":"message","channel":"sms","template":"on_my_way","outcome":"sent"`,
		`"kind":"location","lat":30.27415,"lng":120.15515,"accuracy_m":12.5`,
		`"kind":"attempt","outcome":"delivered","reason":"handed over"`,
	}
	var text strings.Builder
	at := time.Now().UTC().Format(time.RFC3339)
	text.WriteString(`{"records":[`)
	for i := range size {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(`{"id":"`)
		r.ids = append(r.ids, text.Len())
		fmt.Fprintf(&text, `00000000-0000-4000-8000-000000000000","waybill":"%s","occurred_at":"%s",%s}`, waybillOf(first+int64(i)), at, kinds[i%len(kinds)])
	}
	text.WriteString(`]}`)
	whole, bodyAt := request("POST", "/v1/me/evidence", token, []byte(text.String()))
	r.request = whole
	for i := range r.ids {
		r.ids[i] += bodyAt
	}
	return r
}

func (r *records) next() []byte {
	for _, at := range r.ids {
		writeHex(r.request[at:at+8], r.chance.Uint64())
		writeHex(r.request[at+24:at+36], r.chance.Uint64())
	}
	return r.request
}

func (r *records) check(body []byte) error {
	if n := bytes.Count(body, []byte(`"status":"accepted"`)); n != len(r.ids) {
		return fmt.Errorf("%d of %d records were accepted: %.300s", n, len(r.ids), body)
	}
	return nil
}

func (r *records) items() int { return len(r.ids) }
