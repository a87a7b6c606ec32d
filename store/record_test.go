package store_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/store/storetest"
)

// Whoever wrote a header past the one function that queues it for the log would
// have acknowledged what the log never gets.
func TestHeadersAreWrittenInOnePlace(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := map[string]int{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, spelling := range []string{"insert into evidence (", "insertEvidence", "into evidence_value"} {
			found[spelling] += strings.Count(string(text), spelling)
		}
	}
	require.Equal(t, map[string]int{"insert into evidence (": 1, "insertEvidence": 2, "into evidence_value": 1}, found)
}

// The migration leaves the records from before the log like this: queued without
// hashes, and without the field that binds their headers.
func TestRecordsFromBeforeTheLogAreSealedFromTheirHeaders(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		clock := storetest.NewClock()
		h := newHouse(t, storetest.Open(t, url, storetest.Vault(t), clock, 0), clock)
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang))
		db := side(t, url)
		db.MustExec(`delete from seal_queue`)
		db.MustExec(`insert into seal_queue (outlet_no, id, at_ms, record_ids) select outlet_no, id, received_at_ms, id from evidence`)
		n := h.seal()
		require.Equal(t, len(h.evidence("west")), n)
		leaves, err := h.check(h.log("west"))
		require.NoError(t, err)
		require.Equal(t, int64(n), leaves)
		for _, item := range h.evidence("west") {
			_, err := h.ledger().Inclusion(context.Background(), h.log("west"), item.ID, 0)
			require.NoError(t, err)
		}
	})
}
