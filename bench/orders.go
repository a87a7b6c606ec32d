package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
)

// The town that dispatches go to.
const (
	outlets     = 8
	rounds      = 16 // couriers of an outlet
	couriers    = outlets * rounds
	flaggedEach = 20 // every so manieth parcel goes to somebody with wishes: 5 %
	numbers     = 100_000_000
)

// Waybills are "BN" and twelve digits. The past lies below the load.
const (
	waybillDigits = 12
	firstOfPast   = 1000
	firstOfLoad   = 500_000_000_000
)

// Phones are made up: "+86199" and eight digits. The lowest belong to consumers
// with wishes.
const phoneDigits = 8

func phoneOf(consumer int) string { return fmt.Sprintf("+86199%0*d", phoneDigits, consumer) }

func waybillOf(n int64) string { return fmt.Sprintf("BN%0*d", waybillDigits, n) }

func outletID(n int) string { return fmt.Sprintf("o-%02d", n) }

func courierID(n int) string { return fmt.Sprintf("c-%04d", n) }

// blank is a ready-made request in which the digits of waybills and phones are
// written anew each time.
type blank struct {
	request  []byte
	waybills []int // where their digits begin
	phones   []int
}

// orders is the feed of dispatches.
type orders struct {
	blanks    []blank
	turn      int
	size      int
	wishes    int            // consumers who have some
	flagged   func(int) bool // of the place in the sequence of parcels
	sent      int
	waybill   *atomic.Int64 // the next one, of all connections
	chance    *rand.Rand
	acceptAll []byte
	alerts    int // that the answer to the last request must name
}

// town makes feeds of dispatches for one installation.
type town struct {
	token   string
	wishes  int // consumers who have some
	waybill atomic.Int64
}

func newTown(token string, wishes int) *town {
	t := &town{token: token, wishes: wishes}
	t.waybill.Store(firstOfLoad)
	return t
}

// everyTwentieth flags 5 % of the parcels.
func everyTwentieth(i int) bool { return i%flaggedEach == 0 }

// every flags them all.
func every(int) bool { return true }

// batches is a feed of calls with so many dispatches each; a call is of one
// outlet, calls go round the outlets.
func (t *town) batches(connection, size int) *orders {
	o := t.feed(connection, size, everyTwentieth)
	for i := range outlets {
		outlet := (i + connection) % outlets
		o.blanks = append(o.blanks, t.blank(size, func(j int) (string, string) {
			return outletID(outlet), courierID(outlet*rounds + j*min(rounds, size)/size)
		}))
	}
	return o
}

// singles is a feed of calls with one dispatch each.
func (t *town) singles(connection int) *orders {
	o := t.feed(connection, 1, everyTwentieth)
	for i := range couriers {
		courier := (i + connection) % (couriers)
		o.blanks = append(o.blanks, t.blank(1, func(int) (string, string) { return outletID(courier / rounds), courierID(courier) }))
	}
	o.sent = connection // or all connections would send their flagged ones at once
	return o
}

// round is a feed of calls that all go to one courier.
func (t *town) round(connection, courier, size int) *orders {
	o := t.feed(connection, size, everyTwentieth)
	o.blanks = []blank{t.blank(size, func(int) (string, string) { return outletID(courier / rounds), courierID(courier) })}
	return o
}

// alerts is a feed of parcels that all raise an alert, each call's for couriers
// of its own: of connections feeds this is the one with number connection.
func (t *town) alerts(connection, connections, phones, size int) *orders {
	o := t.feed(connection, size, every)
	for first := connection * size; first < phones; first += connections * size {
		o.blanks = append(o.blanks, t.blank(size, func(j int) (string, string) {
			return outletID(first / size % outlets), courierID((first + j) % phones)
		}))
	}
	return o
}

func (t *town) feed(connection, size int, flagged func(int) bool) *orders {
	return &orders{
		size: size, wishes: t.wishes, flagged: flagged, waybill: &t.waybill,
		chance: rand.New(rand.NewPCG(1, uint64(connection))), acceptAll: []byte(`"accepted":` + strconv.Itoa(size) + `,`),
	}
}

func (t *town) blank(size int, who func(j int) (outlet, courier string)) (b blank) {
	var text strings.Builder
	text.WriteString(`{"dispatches":[`)
	for j := range size {
		if j > 0 {
			text.WriteByte(',')
		}
		text.WriteString(`{"waybill":"BN`)
		b.waybills = append(b.waybills, text.Len())
		outlet, courier := who(j)
		fmt.Fprintf(&text, `%0*d","outlet_id":"%s","courier_id":"%s","consignee":{"phone":"+86199`, waybillDigits, 0, outlet, courier)
		b.phones = append(b.phones, text.Len())
		fmt.Fprintf(&text, `%0*d","name":"王小明","address":"江滨路118号2单元603室","address_id":"a-100234"}}`, phoneDigits, 0)
	}
	text.WriteString(`]}`)
	var at int
	b.request, at = request("POST", "/v1/dispatches", t.token, []byte(text.String()))
	for j := range size {
		b.waybills[j] += at
		b.phones[j] += at
	}
	return b
}

func (o *orders) next() []byte {
	b := &o.blanks[o.turn%len(o.blanks)]
	o.turn++
	o.alerts = 0
	waybill := o.waybill.Add(int64(o.size)) - int64(o.size)
	for j := range o.size {
		writeDigits(b.request[b.waybills[j]:], waybillDigits, waybill+int64(j))
		consumer := o.wishes + o.chance.IntN(numbers-o.wishes)
		if o.flagged(o.sent) {
			consumer = 1 + o.chance.IntN(o.wishes-1) // 0 taught them, by a parcel that went out without
			o.alerts++
		}
		o.sent++
		writeDigits(b.request[b.phones[j]:], phoneDigits, int64(consumer))
	}
	return b.request
}

func (o *orders) check(body []byte) error {
	if n := bytes.Count(body, []byte(`"alert_id"`)); n != o.alerts {
		return fmt.Errorf("%d alerts for %d parcels to consumers with wishes: %.300s", n, o.alerts, body)
	}
	return o.accepted(body)
}

func (o *orders) accepted(body []byte) error {
	if !bytes.Contains(body[:min(len(body), 128)], o.acceptAll) {
		return fmt.Errorf("not all %d dispatches were accepted: %.300s", o.size, body)
	}
	return nil
}

// echoed are orders to somebody who knows nobody's wishes.
type echoed struct{ *orders }

func (o echoed) check(body []byte) error { return o.accepted(body) }

func (o *orders) items() int { return o.size }

func writeDigits(to []byte, width int, n int64) {
	for i := width - 1; i >= 0; i-- {
		to[i] = byte('0' + n%10)
		n /= 10
	}
}

// feeds makes one for each connection.
func feeds[F feed](connections int, one func(connection int) F) []feed {
	list := make([]feed, connections)
	for i := range list {
		list[i] = one(i)
	}
	return list
}
