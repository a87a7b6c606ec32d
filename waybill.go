package doorstep

import "strings"

// Waybill is the number of a parcel's contract: 1 to 64 of A-Z, 0-9 and "-",
// upper case.
type Waybill string

// MaxWaybill is how many characters a waybill has at most.
const MaxWaybill = 64

// ParseWaybill trims and upper-cases raw. A string that is no waybill gives an
// *InvalidError; carriers' check digits differ, so none is checked.
func ParseWaybill(raw string) (Waybill, error) {
	s := strings.ToUpper(strings.TrimSpace(raw))
	if len(s) == 0 || len(s) > MaxWaybill || strings.ContainsFunc(s, notInWaybill) {
		return "", &InvalidError{Fields: []FieldError{{
			Code: "invalid_waybill", Detail: "must be 1 to 64 of A-Z, a-z, 0-9 and -",
		}}}
	}
	return Waybill(s), nil
}

// LastFour is what a push may show of a waybill.
func (w Waybill) LastFour() string { return string(w[max(0, len(w)-4):]) }

func notInWaybill(r rune) bool {
	return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z')
}
