package doorstep

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckText trims s and bounds it to most runes. Control characters other than
// line breaks and tabs are refused, NUL above all: PostgreSQL cannot keep it.
func CheckText(s string, least, most int) (string, error) {
	s = strings.TrimSpace(s)
	bad := func(code, detail string) (string, error) {
		return "", &InvalidError{Fields: []FieldError{{Code: code, Detail: detail}}}
	}
	switch n := utf8.RuneCountInString(s); {
	case n < least:
		return bad("required", "must not be empty")
	case n > most:
		return bad("too_long", "is longer than allowed")
	case strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	}):
		return bad("control_character", "must not contain control characters")
	}
	return s, nil
}

// maxID bounds the carrier's own ids, in runes.
const maxID = 64

// CheckID checks an id that the carrier made: 1 to 64 printable characters.
func CheckID(s string) (string, error) {
	s, err := CheckText(s, 1, maxID)
	if err == nil && strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		err = &InvalidError{Fields: []FieldError{{Code: "invalid_id", Detail: "must be 1 to 64 printable characters"}}}
	}
	return s, err
}
