// Package store keeps everything that the domain packages need kept, in SQLite
// or PostgreSQL. It holds all the SQL and no rules: each domain package
// declares the interface that it needs, and *DB satisfies them.
//
// Personal data is sealed and hashed here, before a write begins and after a
// read ends.
package store
