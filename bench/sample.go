package bench

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sample is the rows that the server wrote for some requests, read back from its
// database, whatever tables they are in. It can make any number of further rows
// like them, of the same sizes, under fresh keys: for the raw engine to insert,
// and for a past that was never lived through.
type sample struct {
	parts   []part         // what one transaction wrote, each at an outlet of its own
	items   int            // of each part
	waiting map[string]int // rows by table that are not in a settled sample
}

// generationSpan is how far apart in time two generations are. No sample takes
// longer, so their ids cannot meet.
const generationSpan = time.Minute

// part is some rows of several tables.
type part []tableRows

type tableRows struct {
	table table
	rows  [][]cell
}

// cell is one value, and what of it is fresh each time.
type cell struct {
	value any
	marks []mark
	role  role
	step  int64 // of a counter
	high  int64 // of a counter: the greatest in the sample
}

type role uint8

const (
	constant role = iota
	moment        // milliseconds
	day           // as 20261121
	counter       // part of a key that nothing else makes fresh
)

// mark is a waybill or a UUID within a text.
type mark struct {
	at      int
	waybill bool
	number  int64 // of a waybill, or the time in a UUIDv7
	random  bool  // a UUID without a time
}

var marks = regexp.MustCompile(`BN[0-9]{12}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// snapshot is which rows there are, by table and primary key.
type snapshot map[string]map[string]bool

func keyOf(t table, row []any) string {
	var key strings.Builder
	if len(t.keys) == 0 {
		return fmt.Sprint(row)
	}
	for _, column := range t.keys[0] {
		fmt.Fprintf(&key, "%v|", row[column])
	}
	return key.String()
}

func (e *engine) snapshot(ctx context.Context) (snapshot, error) {
	tables, err := e.tables(ctx)
	if err != nil {
		return nil, err
	}
	s := snapshot{}
	for _, t := range tables {
		rows, err := e.rows(ctx, t, "")
		if err != nil {
			return nil, err
		}
		s[t.name] = make(map[string]bool, len(rows))
		for _, row := range rows {
			s[t.name][keyOf(t, row)] = true
		}
	}
	return s, nil
}

// since takes the rows that were not there before, written for so many batches,
// each of an outlet of its own and so many items. Rows that were changed in place
// are left out: the reference then has less to do than the server had. So is what
// an outlet has one row of and, of what is to be settled, what waits in a queue.
func (e *engine) since(ctx context.Context, before snapshot, batches, items int, settled bool) (*sample, error) {
	tables, err := e.tables(ctx)
	if err != nil {
		return nil, err
	}
	s := &sample{items: items, waiting: map[string]int{}}
	byOutlet := map[string]part{}
	for _, t := range tables {
		if t.isState() {
			continue
		}
		rows, err := e.rows(ctx, t, "")
		if err != nil {
			return nil, err
		}
		if settled {
			all := len(rows)
			if rows, err = e.settled(ctx, t); err != nil {
				return nil, err
			}
			s.waiting[t.name] = all - len(rows)
		}
		rows = slices.DeleteFunc(rows, func(row []any) bool { return before[t.name][keyOf(t, row)] })
		fresh := map[string][][]any{}
		for _, row := range rows {
			fresh[outletOf(t, row)] = append(fresh[outletOf(t, row)], row)
		}
		for outlet, rows := range fresh {
			byOutlet[outlet] = append(byOutlet[outlet], tableRows{t, cellsOf(t, rows)})
		}
	}
	outlets := sortedKeys(byOutlet)
	slices.SortStableFunc(outlets, func(a, b string) int { return cmp.Compare(byOutlet[b].rows(), byOutlet[a].rows()) })
	if len(outlets) < batches {
		return nil, fmt.Errorf("batches to %d outlets left rows at %d", batches, len(outlets))
	}
	for i, outlet := range outlets {
		if i < batches {
			s.parts = append(s.parts, byOutlet[outlet])
		} else { // what belongs to no outlet
			s.parts[0] = append(s.parts[0], byOutlet[outlet]...)
		}
	}
	return s, nil
}

// settled reads the rows that wait for nothing.
func (e *engine) settled(ctx context.Context, t table) ([][]any, error) {
	queues, err := e.queues(ctx, t.name)
	if err != nil {
		return nil, err
	}
	for i, q := range queues {
		queues[i] = "not (" + q + ")"
	}
	return e.rows(ctx, t, strings.Join(queues, " and "))
}

func (p part) rows() (n int) {
	for _, t := range p {
		n += len(t.rows)
	}
	return n
}

func sortedKeys[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// outletOf is the outlet in the row's key; "" where the table has none.
func outletOf(t table, row []any) string {
	if i := slices.Index(t.columns, "outlet_no"); i >= 0 {
		return fmt.Sprintf("%012d", row[i])
	}
	return ""
}

// cellsOf finds out what of each value must be fresh. rows come in the order of
// their key, as the server sorts them.
func cellsOf(t table, rows [][]any) [][]cell {
	if len(t.keys) > 0 {
		slices.SortFunc(rows, func(a, b []any) int {
			for _, column := range t.keys[0] {
				if c := compare(a[column], b[column]); c != 0 {
					return c
				}
			}
			return 0
		})
	}
	cells := make([][]cell, len(rows))
	for i, row := range rows {
		cells[i] = make([]cell, len(row))
		for j, v := range row {
			cells[i][j] = cellOf(t.columns[j], v)
		}
	}
	for _, key := range t.keys {
		numberKey(cells, key)
	}
	return cells
}

func compare(a, b any) int {
	switch a := a.(type) {
	case int64:
		if b, ok := b.(int64); ok {
			return cmp.Compare(a, b)
		}
	case string:
		if b, ok := b.(string); ok {
			return cmp.Compare(a, b)
		}
	}
	return 0
}

func cellOf(column string, v any) cell {
	c := cell{value: v}
	switch v := v.(type) {
	case int64:
		switch {
		case strings.HasSuffix(column, "_ms"):
			c.role = moment
		case column == "day":
			c.role = day
		}
	case string:
		for _, found := range marks.FindAllStringIndex(v, -1) {
			m := mark{at: found[0]}
			if m.waybill = v[found[0]] == 'B'; m.waybill {
				m.at += 2
				m.number, _ = strconv.ParseInt(v[m.at:found[1]], 10, 64) // digits
			} else if m.random = v[found[0]+14] != '7'; !m.random {
				stamp := v[m.at:m.at+8] + v[m.at+9:m.at+13]
				m.number, _ = strconv.ParseInt(stamp, 16, 64) // hexadecimal digits
			}
			c.marks = append(c.marks, m)
		}
	}
	return c
}

// numberKey makes the last number of a key a counter where the rows would
// otherwise meet again.
func numberKey(cells [][]cell, key []int) {
	if len(cells) == 0 {
		return
	}
	for _, row := range cells {
		for _, column := range key {
			if len(row[column].marks) > 0 || row[column].role == counter {
				return
			}
		}
	}
	column := key[len(key)-1]
	low, high := int64(0), int64(0)
	for i, row := range cells {
		n, ok := row[column].value.(int64)
		if !ok {
			return
		}
		if i == 0 || n < low {
			low = n
		}
		high = max(high, n)
	}
	for _, row := range cells {
		row[column].role, row[column].step, row[column].high = counter, high-low+1, high
	}
}

// blockOf is how far apart the waybills of two generations are. No sample has
// more parcels.
const blockOf = 100_000

// fresh makes the value of a generation, counted from 1, moved in time by so
// many milliseconds.
func (c *cell) fresh(generation, shift int64, random func() uint64) any {
	switch c.role {
	case moment:
		return c.value.(int64) + shift
	case day:
		return movedDay(c.value.(int64), shift)
	case counter:
		if shift < 0 { // below 1, where the server has begun
			return c.value.(int64) - c.high - generation*c.step
		}
		return c.value.(int64) + generation*c.step
	}
	if len(c.marks) == 0 {
		return c.value
	}
	text := []byte(c.value.(string))
	for _, m := range c.marks {
		switch {
		case m.waybill:
			writeDigits(text[m.at:], waybillDigits, m.number+generation*blockOf)
		case m.random:
			writeHex(text[m.at:m.at+8], random())
			writeHex(text[m.at+24:m.at+36], random())
		default:
			stamp := uint64(m.number + shift)
			writeHex(text[m.at+9:m.at+13], stamp)
			writeHex(text[m.at:m.at+8], stamp>>16)
		}
	}
	return string(text)
}

func movedDay(d, shift int64) int64 {
	days := shift / (24 * time.Hour).Milliseconds()
	if days == 0 {
		return d
	}
	t := time.Date(int(d/10000), time.Month(d/100%100), int(d%100), 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(days))
	return int64(t.Year()*10000 + int(t.Month())*100 + t.Day())
}

func writeHex(to []byte, n uint64) {
	const digits = "0123456789abcdef"
	for i := len(to) - 1; i >= 0; i-- {
		to[i] = digits[n&15]
		n >>= 4
	}
}
