package main

import (
	"context"
	"fmt"

	"doorstep/kpi"
	"doorstep/store"
)

// kpisCmd looks after what the figures are made of.
type kpisCmd struct {
	Rebuild kpisRebuildCmd `cmd:"" help:"Count every day of every outlet anew from the records; may run beside servers."`
}

type kpisRebuildCmd struct {
	Database database `embed:""`
}

// Run counts, and says of how many outlets.
func (c *kpisRebuildCmd) Run(ctx context.Context, s *streams) error {
	return c.Database.with(ctx, func(db *store.DB) error {
		n, err := (&kpi.Keeper{Store: db, Now: now}).Rebuild(ctx)
		if err != nil {
			return fmt.Errorf("kpis rebuild: %w", err)
		}
		_, err = fmt.Fprintf(s.Out, "counted %d outlets\n", n)
		return err
	})
}
