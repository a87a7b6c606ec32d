package store_test

import (
	"context"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep/store"
)

// listener keeps what PostgreSQL is asked, and which functions of the store had
// a part in it.
type listener struct {
	mu    sync.Mutex
	asked map[string]string // statement to the function that it stands in
	ran   map[string]bool   // functions on the way there
}

// overhear has db's statements pass a listener.
func overhear(t *testing.T, db *store.DB, url string) *listener {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	l := &listener{asked: map[string]string{}, ran: map[string]bool{}}
	cfg.Tracer = l
	require.NoError(t, db.Through(sqlx.NewDb(stdlib.OpenDB(*cfg), "pgx")))
	return l
}

// plumbing hands statements on; they are not its own.
var plumbing = []string{
	"Tx.exec", "Tx.changed", "Tx.get", "Tx.list", "Tx.insert", "DB.get", "DB.list", "DB.lister", "DB.logs", "DB.inTx", "DB.attemptTx", "DB.tryTx",
	"insertReturning", "arrays", "guarded",
}

// funcName takes "doorstep/store.(*DB).Claim.func1" apart.
var funcName = regexp.MustCompile(`^doorstep/store\.(?:\(\*?(\w+)\)\.|(\w+)\.)?(\w+)`)

// TraceQueryStart notes a statement that is about to run.
func (l *listener) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	stack := make([]uintptr, 100)
	frames := runtime.CallersFrames(stack[:runtime.Callers(2, stack)])
	asker := ""
	for {
		frame, more := frames.Next()
		if name := storeFunc(frame.Function); name != "" && !slices.Contains(plumbing, name) {
			l.ran[name] = true
			if asker == "" {
				asker = strings.TrimPrefix(name, "DB.")
			}
		}
		if !more {
			break
		}
	}
	l.asked[q.SQL] = asker
	return ctx
}

// TraceQueryEnd makes the listener a pgx.QueryTracer.
func (l *listener) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// storeFunc is "DB.Claim" or "addFacts" for a function of the store, closures
// counted to it, and "" for any other.
func storeFunc(name string) string {
	found := funcName.FindStringSubmatch(name)
	switch {
	case found == nil:
		return ""
	case found[1] != "":
		return found[1] + "." + found[3]
	case found[2] != "": // a closure of a plain function
		return found[2]
	}
	return found[3]
}

// block is one select, insert, update or delete, without those inside it, for
// each of which it has a (#).
type block struct {
	text  string
	inner []*block
}

var (
	quoted   = regexp.MustCompile(`'[^']*'`)
	space    = regexp.MustCompile(`\s+`)
	union    = regexp.MustCompile(` union (?:all )?`)
	isQuery  = regexp.MustCompile(`^\s*(?:select|with)\b`)
	mentions = regexp.MustCompile(`\b(?:from|join|update)\s+(\w+)(?:\s+(?:as\s+)?(\w+))?`)
	inserts  = regexp.MustCompile(`\binsert into (\w+)(?: as \w+)? \(([^)]*)\)`)
	bindings = regexp.MustCompile(`\b(?:(\w+)\.)?(outlet_no|consumer_id) = (?:\$\d+|(\w+)\.(?:outlet_no|consumer_id))`)
)

// parse takes a statement apart. One that is a union is as many blocks.
func parse(sql string) []*block {
	text := space.ReplaceAllString(quoted.ReplaceAllString(strings.ToLower(sql), "''"), " ")
	b, _ := parseUntilClosed(strings.TrimSpace(text))
	return b.split()
}

// parseUntilClosed reads up to the bracket that ends the block, and returns what
// comes after it.
func parseUntilClosed(text string) (b *block, rest string) {
	b = &block{}
	for {
		at := strings.IndexAny(text, "()")
		if at < 0 {
			b.text += text
			return b, ""
		}
		b.text += text[:at]
		if text[at] == ')' {
			return b, text[at+1:]
		}
		var in *block
		in, text = parseUntilClosed(text[at+1:])
		if isQuery.MatchString(in.text) {
			b.inner = append(b.inner, in.split()...)
			b.text += "(#)"
		} else {
			b.inner = append(b.inner, in.inner...)
			b.text += "(" + in.text + ")"
		}
	}
}

// split makes a union's parts blocks of their own. Which part an inner block was
// in is forgotten: only the first keeps them, and none refers outwards.
func (b *block) split() []*block {
	parts := union.Split(b.text, -1)
	list := make([]*block, len(parts))
	for i, text := range parts {
		list[i] = &block{text: text}
	}
	list[0].inner = b.inner
	return list
}

// named lists the tables of a kind that a block reads or changes, by the names
// that it gives them.
func (b *block) named(of map[string]bool) map[string]string {
	list := map[string]string{}
	for _, m := range mentions.FindAllStringSubmatch(b.text, -1) {
		if !of[m[1]] {
			continue
		}
		alias := m[2]
		switch alias {
		case "", "where", "set", "join", "left", "order", "group", "limit", "on", "for":
			alias = m[1]
		}
		list[alias] = m[1]
	}
	return list
}

// unbound lists the tables of a kind whose rows no equality of key with a
// parameter picks, in the block or one in it. outer are names that are bound
// around it.
func (b *block) unbound(of map[string]bool, key string, outer []string) (list []string) {
	names := b.named(of)
	bound := map[string]bool{}
	for _, name := range outer {
		if _, shadowed := names[name]; !shadowed {
			bound[name] = true
		}
	}
	equal := bindings.FindAllStringSubmatch(b.text, -1)
	for range len(equal) + 1 { // a chain is as long as there are links, at most
		for _, m := range equal {
			alias, other := m[1], m[3]
			if alias == "" && len(names) == 1 {
				for only := range names {
					alias = only
				}
			}
			switch {
			case m[2] != key:
			case other == "" || bound[other]:
				bound[alias] = true
			case bound[alias]:
				bound[other] = true
			}
		}
	}
	for alias, table := range names {
		if !bound[alias] {
			list = append(list, table)
		}
	}
	for _, in := range b.inner {
		list = append(list, in.unbound(of, key, slices.Collect(maps.Keys(bound)))...)
	}
	return list
}

// all lists a block and those in it.
func (b *block) all() []*block {
	list := []*block{b}
	for _, in := range b.inner {
		list = append(list, in.all()...)
	}
	return list
}
