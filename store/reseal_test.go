package store_test

import (
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep/store"
	"doorstep/store/storetest"
)

// A column that Reseal forgot could not be opened once the old keys are dropped.
func TestEveryColumnOfBytesIsSealedAnewOrHoldsNothingSealed(t *testing.T) {
	url := storetest.SQLite(t)
	storetest.Open(t, url, storetest.Vault(t), storetest.NewClock(), 0)
	db, err := sqlx.Open("sqlite3", url)
	require.NoError(t, err)
	defer db.Close()
	var columns []string
	require.NoError(t, db.Select(&columns, `select m.name || '.' || p.name from sqlite_master m join pragma_table_info(m.name) p
where m.type = 'table' and lower(p.type) = 'blob' order by 1`))
	hashes := 0
	for _, c := range columns {
		if strings.HasPrefix(c, "log_") || strings.HasPrefix(c, "seal_queue.") {
			hashes++ // of the log, which hide nothing
			continue
		}
		require.Contains(t, store.SealedColumns(), c, "does it hold what is sealed?")
	}
	require.Len(t, store.SealedColumns(), len(columns)-hashes)
}
