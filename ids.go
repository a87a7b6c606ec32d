package doorstep

import (
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// OutletNo is our own number of an outlet, unique across companies; every key
// of a hot table begins with it, so that data can be spread by outlet. A
// company has such a number too: it keeps what belongs to no outlet.
type OutletNo int64

// IDMaker makes an id that says its outlet. MakeID in production; a counter in
// tests.
type IDMaker func(OutletNo) string

// MakeID makes a UUIDv7 behind the outlet's short number, as "7k-0192...":
// whoever holds the id finds its outlet without an index over all of them, and
// ids of one outlet sort by the time they were made.
func MakeID(outlet OutletNo) string {
	return strconv.FormatInt(int64(outlet), 36) + "-" + uuid.Must(uuid.NewV7()).String()
}

// OutletOf reads the outlet's number back out of an id. False means that we
// never made such an id.
func OutletOf(id string) (OutletNo, bool) {
	short, rest, ok := strings.Cut(id, "-")
	if !ok || len(short) > 12 || uuid.Validate(rest) != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(short, 36, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 36) != short {
		return 0, false
	}
	return OutletNo(n), true
}
