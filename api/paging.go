package api

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"doorstep"
)

// Sizes of a page, in items.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// maxCursor bounds a cursor as it is given, in bytes.
const maxCursor = 1024

// Page is which part of a list is asked for.
type Page struct {
	Limit int
	After []string // the keys of the last item of the page before; nil for the first page
}

// ParsePage reads the parameters of a list whose cursors hold the given number
// of keys.
func ParsePage(limit, cursor *string, keys int) (Page, error) {
	var bad doorstep.Checks
	page := Page{Limit: parseLimit(limit, &bad)}
	if cursor != nil {
		after, ok := parseCursor(*cursor, keys)
		if !ok {
			bad.Under("", errCursor())
		}
		page.After = after
	}
	return page, bad.Err()
}

// errCursor refuses a cursor that no page of the list gave.
func errCursor() error {
	return &doorstep.InvalidError{Fields: []doorstep.FieldError{{
		Pointer: "/cursor", Code: "invalid_cursor", Detail: "must be the next_cursor of a page of this list",
	}}}
}

// ParseFeed reads the parameters of a numbered feed, which goes on after a
// number.
func ParseFeed(after, limit *string) (from int64, size int, err error) {
	var bad doorstep.Checks
	size = parseLimit(limit, &bad)
	if after != nil {
		from, err = strconv.ParseInt(*after, 10, 64)
		if err != nil || from < 0 {
			bad.Add("/after", "invalid_after", "must be the next_after of a page of this feed")
		}
	}
	return from, size, bad.Err()
}

// NextCursor points behind the item that has these keys.
func NextCursor(keys ...string) *string {
	text, _ := json.Marshal(keys) // strings always encode
	cursor := base64.RawURLEncoding.EncodeToString(text)
	return &cursor
}

func parseLimit(given *string, bad *doorstep.Checks) int {
	if given == nil {
		return defaultLimit
	}
	n, err := strconv.Atoi(*given)
	if err != nil || n < 1 || n > maxLimit {
		bad.Add("/limit", "invalid_limit", "must be 1 to 200")
	}
	return n
}

// parseCursor accepts only what NextCursor makes. A cursor grants nothing, so
// it is not signed: every query is scoped to its caller.
func parseCursor(given string, keys int) ([]string, bool) {
	if len(given) > maxCursor {
		return nil, false
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(given)
	if err != nil {
		return nil, false
	}
	var after []string
	if json.Unmarshal(text, &after) != nil || len(after) != keys || strings.ContainsRune(strings.Join(after, ""), 0) {
		return nil, false
	}
	return after, true
}
