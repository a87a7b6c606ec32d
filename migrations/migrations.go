// Package migrations embeds the schema of both engines: the same numbers, one
// file a step.
package migrations

import "embed"

// SQLite and Postgres hold the steps, under "sqlite" and "postgres".
var (
	//go:embed sqlite/*.sql
	SQLite embed.FS
	//go:embed postgres/*.sql
	Postgres embed.FS
)
