package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/store/storetest"
)

func TestTablesAreSpreadByACommand(t *testing.T) {
	c := console{t: t, data: t.TempDir(), url: storetest.Postgres(t)}
	require.Contains(t, c.ok("migrate", "partition", "--parts", "4"), "   4 dispatch\n   4 escalation\n")
	require.Contains(t, c.ok("migrate", "partition", "--parts", "1"), "   1 dispatch\n   1 escalation\n")
	require.ErrorContains(t, c.run("migrate", "partition", "--parts", "0").failed, "1 to 256")
	require.ErrorContains(t, console{t: t, data: t.TempDir()}.run("migrate", "partition", "--parts", "4").failed, "only PostgreSQL")
}
