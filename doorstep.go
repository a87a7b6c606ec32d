// Package doorstep holds what every room of the house shares: the kinds of
// error, ids, the value types Phone and Waybill, and who is calling.
package doorstep

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The kinds of error. A typed error carries the facts and unwraps to its kind;
// anything else is our own fault and answers 500.
var (
	ErrInvalid     = errors.New("invalid")     // a value breaks a rule of its field
	ErrForbidden   = errors.New("forbidden")   // the caller's role may not do this
	ErrNotFound    = errors.New("not found")   // not there, or not the caller's
	ErrConflict    = errors.New("conflict")    // the state of the object forbids it
	ErrUnavailable = errors.New("unavailable") // try again later; part may be done
	ErrTooMany     = errors.New("too many")    // the caller's share of today is used up
)

// FieldError says what is wrong with one field of the input.
type FieldError struct {
	Pointer string // RFC 6901, relative to the object that was checked: "/consignee/phone"
	Code    string // stable, snake_case: "invalid_phone"
	Detail  string // English, one sentence, never quotes the value
}

// InvalidError lists every bad field at once. It unwraps to ErrInvalid.
type InvalidError struct{ Fields []FieldError }

func (e *InvalidError) Error() string {
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Pointer + " " + f.Code
	}
	return "invalid: " + strings.Join(parts, ", ")
}

// Unwrap gives ErrInvalid.
func (e *InvalidError) Unwrap() error { return ErrInvalid }

// ConflictError says which state forbids the request. It unwraps to
// ErrConflict.
type ConflictError struct {
	Code   string // stable, snake_case: "idempotency_key_in_use"
	Detail string
}

func (e *ConflictError) Error() string { return e.Code + ": " + e.Detail }

// Unwrap gives ErrConflict.
func (e *ConflictError) Unwrap() error { return ErrConflict }

// ForbiddenError says what the caller lacks. It unwraps to ErrForbidden.
type ForbiddenError struct {
	Code   string // stable, snake_case: "person_required"
	Detail string
}

func (e *ForbiddenError) Error() string { return e.Code + ": " + e.Detail }

// Unwrap gives ErrForbidden.
func (e *ForbiddenError) Unwrap() error { return ErrForbidden }

// TooManyError says which bound was reached and when to come back. It unwraps to
// ErrTooMany.
type TooManyError struct {
	Code   string // stable, snake_case: "too_many_pre_contacts"
	Detail string
	Wait   time.Duration
}

func (e *TooManyError) Error() string { return e.Code + ": " + e.Detail }

// Unwrap gives ErrTooMany.
func (e *TooManyError) Unwrap() error { return ErrTooMany }

// Checks gathers the bad fields of one object.
type Checks struct{ fields []FieldError }

// Add notes a bad field.
func (c *Checks) Add(pointer, code, detail string) {
	c.fields = append(c.fields, FieldError{Pointer: pointer, Code: code, Detail: detail})
}

// Under notes err's bad fields below prefix; an error of another kind becomes
// one bad field at prefix. A nil err notes nothing.
func (c *Checks) Under(prefix string, err error) {
	var invalid *InvalidError
	switch {
	case err == nil:
	case errors.As(err, &invalid):
		for _, f := range invalid.Fields {
			c.Add(prefix+f.Pointer, f.Code, f.Detail)
		}
	default:
		c.Add(prefix, "invalid", err.Error())
	}
}

// Err is nil when every field was good, else an *InvalidError.
func (c *Checks) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &InvalidError{Fields: c.fields}
}

// Bounds of the times that an event may claim: api.md, general rules.
var earliestEvent = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

const furthestAhead = 24 * time.Hour

// ParseEventTime reads an RFC 3339 time that an event claims. What no working
// clock says, before 2015 or more than 24 h ahead of now, is refused; anything
// else is kept beside our own receipt time. What is wrong goes to checks, at
// pointer, and gives the zero time.
func ParseEventTime(pointer, text string, now time.Time, checks *Checks) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		checks.Add(pointer, "invalid_time", "must be an RFC 3339 time")
		return time.Time{}
	}
	return CheckEventTime(pointer, at, now, checks)
}

// CheckEventTime holds a time that was read already to the bounds of
// ParseEventTime.
func CheckEventTime(pointer string, at, now time.Time, checks *Checks) time.Time {
	if at.Before(earliestEvent) || at.After(now.Add(furthestAhead)) {
		checks.Add(pointer, "time_out_of_range", "must not be before 2015 or more than 24 h ahead")
		return time.Time{}
	}
	return at.UTC()
}

// NotFound wraps ErrNotFound with the noun and the id that was asked for. The
// text is for logs; callers see only that it is not there.
func NotFound(noun, id string) error { return fmt.Errorf("%s %s: %w", noun, id, ErrNotFound) }
