package store

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// bulk turns rows into as few statements as the engine likes, each of a text
// that comes again, so that it stays prepared. head is "insert into t (a, b)",
// tail "" or "on conflict ...". run is called for each statement.
type bulk func(head, tail string, rows [][]any, run func(query string, args ...any) error) error

// insert writes rows. Callers sort rows by key, so that two batches cannot
// deadlock.
func (t *Tx) insert(head, tail string, rows [][]any) error {
	return t.bulk(head, tail, rows, t.exec)
}

// insertReturning is insert with a "returning" tail; what comes back is in no
// particular order.
func insertReturning[T any](t *Tx, head, tail string, rows [][]any) (back []T, err error) {
	err = t.bulk(head, tail, rows, func(query string, args ...any) error {
		var chunk []T
		if err := t.list(&chunk, query, args...); err != nil {
			return err
		}
		back = append(back, chunk...)
		return nil
	})
	return back, err
}

// mostRows is how many rows one statement of SQLite carries; more gain nothing.
// Fewer come in powers of two, so that there are few texts.
const mostRows = 64

// valueLists writes rows as lists of values: SQLite's way.
func valueLists(head, tail string, rows [][]any, run func(query string, args ...any) error) error {
	if len(rows) == 0 {
		return nil
	}
	width := len(rows[0])
	args := make([]any, 0, min(len(rows), mostRows)*width)
	for n := mostRows; len(rows) > 0; n /= 2 {
		for len(rows) >= n {
			args = args[:0]
			for _, row := range rows[:n] {
				args = append(args, row...)
			}
			rows = rows[n:]
			if err := run(valueText(head, tail, width, n), args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// valueTexts keeps statements by what they are made of.
var valueTexts sync.Map

type valueShape struct {
	head, tail  string
	width, rows int
}

func valueText(head, tail string, width, rows int) string {
	key := valueShape{head, tail, width, rows}
	if text, ok := valueTexts.Load(key); ok {
		return text.(string)
	}
	one := "(" + strings.Repeat("?, ", width-1) + "?)"
	// "or fail" leaves what came before a bad row to the transaction, which ends
	// anyway; else SQLite copies every page that a statement of many rows touches.
	head = strings.Replace(head, "insert into", "insert or fail into", 1)
	text, _ := valueTexts.LoadOrStore(key, head+" values "+strings.Repeat(one+", ", rows-1)+one+" "+tail)
	return text.(string)
}

// arrays writes any number of rows in one statement with an array a column:
// PostgreSQL's way, which plans a thousand placeholders anew each time. types
// gives the type of "table.column".
func arrays(types map[string]string) bulk {
	var kept sync.Map // of statements, by their heads and tails
	return func(head, tail string, rows [][]any, run func(query string, args ...any) error) error {
		if len(rows) == 0 {
			return nil
		}
		key := [2]string{head, tail}
		text, ok := kept.Load(key)
		if !ok {
			made, err := unnest(head, tail, types)
			if err != nil {
				return err
			}
			text, _ = kept.LoadOrStore(key, made)
		}
		columns := make([]any, len(rows[0]))
		for i := range columns {
			var err error
			if columns[i], err = column(rows, i); err != nil {
				return fmt.Errorf("%s: column %d: %w", head, i+1, err)
			}
		}
		return run(text.(string), columns...)
	}
}

// unnest writes the statement for one head.
func unnest(head, tail string, types map[string]string) (string, error) {
	table, list, ok := strings.Cut(strings.TrimPrefix(head, "insert into "), "(")
	if !ok {
		return "", fmt.Errorf("no list of columns in %q", head)
	}
	var arrays []string
	for name := range strings.SplitSeq(strings.TrimSuffix(list, ")"), ",") {
		kind, ok := types[strings.TrimSpace(table)+"."+strings.TrimSpace(name)]
		if !ok {
			return "", fmt.Errorf("no type is known of column %s in %q", strings.TrimSpace(name), head)
		}
		arrays = append(arrays, "?::"+kind+"[]")
	}
	return head + " select * from unnest(" + strings.Join(arrays, ", ") + ") " + tail, nil
}

// column gathers one column's values into a slice that the driver sends as an
// array.
func column(rows [][]any, at int) (any, error) {
	for _, row := range rows {
		if row[at] == nil {
			continue
		}
		switch reflect.TypeOf(row[at]).Kind() {
		case reflect.String:
			return gather(rows, at, reflect.Value.String), nil
		case reflect.Int, reflect.Int64:
			return gather(rows, at, reflect.Value.Int), nil
		case reflect.Float64:
			return gather(rows, at, reflect.Value.Float), nil
		case reflect.Slice:
			return gather(rows, at, reflect.Value.Bytes), nil
		}
		return nil, fmt.Errorf("no array of %T", row[at])
	}
	return make([]*string, len(rows)), nil // nothing but nulls
}

// gather reads values; a null becomes a nil pointer.
func gather[T any](rows [][]any, at int, read func(reflect.Value) T) []*T {
	values, list := make([]T, len(rows)), make([]*T, len(rows))
	for i, row := range rows {
		if row[at] != nil {
			values[i] = read(reflect.ValueOf(row[at]))
			list[i] = &values[i]
		}
	}
	return list
}
