package doorstep

import (
	"log/slog"
	"regexp"
	"strings"
	"unicode/utf8"
)

// What people see of a person is masked as the national e-waybill standard asks:
// of the name all but its beginning, of the telephone number six digits, of the
// address the building's inside. Every view takes its masks from this file.

// Masked hides six digits: "138******34".
func (p Phone) Masked() string {
	s := strings.TrimPrefix(strings.TrimPrefix(string(p), "+86"), "+")
	if len(s) < 9 {
		return "******"
	}
	return s[:len(s)-8] + "******" + s[len(s)-2:]
}

// LogValue keeps numbers out of logs.
func (p Phone) LogValue() slog.Value { return slog.StringValue(p.Masked()) }

// MaskName hides all of a name but its first character: "张*", "A*".
func MaskName(name string) string {
	name = strings.TrimSpace(name)
	if name == "" {
		return ""
	}
	_, size := utf8.DecodeRuneInString(name)
	return name[:size] + "*"
}

// inside finds where an address turns from the street to the inside of a
// building: what stands there and behind it is nobody's business.
var inside = regexp.MustCompile(`(?i)` +
	`[0-9０-９a-zａ-ｚ一二三四五六七八九十百]+\s*(?:号楼|栋|幢|座|单元|层|楼|室|房|户)` + // 3号楼, 二单元, 1203室
	`|[,，\s]+(?:room|rm|apt|apartment|unit|suite|flat|door|floor|fl)\b\.?\s*#?\s*(?:[0-9]+[a-z]?|[a-z])\b` + // apt. 5
	`|[,，\s]*#\s*[0-9a-z]` + // #12
	`|[0-9０-９]+(?:\s*[-－–]\s*[0-9０-９a-z]+)+\s*$` + // 3-2-501
	`|[,，\s]+[0-9０-９]+[a-z]?\s*$`) // , 301

// MaskAddress hides an address from the building inwards: "文一路 8 号***".
func MaskAddress(address string) string {
	address = strings.TrimSpace(address)
	at := inside.FindStringIndex(address)
	if at == nil {
		return address
	}
	return strings.TrimRight(address[:at[0]], " ,，") + "***"
}
