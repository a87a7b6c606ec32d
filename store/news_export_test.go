package store

// The payloads of notifications, for tests.
var (
	EncodeNews = encodeNews
	DecodeNews = decodeNews
)

// Announce puts news into a transaction of a test's own.
func (db *DB) Announce(tx *Tx, couriers ...int64) error { return db.announce(tx, couriers) }

// BreakLog takes from the checkpointer what it works with.
func (db *DB) BreakLog() error { return db.log.pool.Close() }
