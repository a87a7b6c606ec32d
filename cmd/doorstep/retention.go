package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"doorstep/privacy"
	"doorstep/store"
)

type retainCmd struct {
	Database database `embed:""`
	Pictures pictures `embed:""`
	DryRun   bool     `help:"Say what would go, and erase nothing."`
	JSON     bool     `help:"Print JSON."`
}

// retentionReport is what the command prints.
type retentionReport struct {
	DryRun  bool           `json:"dry_run"`
	Classes privacy.Report `json:"classes"`
}

// Run erases what is past its time, beside a running server if there is one,
// and prints by class what went.
func (c *retainCmd) Run(ctx context.Context, s *streams) error {
	return c.Database.with(ctx, func(db *store.DB) error {
		album, _, err := c.Pictures.album(c.Database, db)
		if err != nil {
			return err
		}
		sweeper := privacy.Sweeper{Store: db, Photos: album.Sweep, Now: now}
		sweep := sweeper.SweepAll
		if c.DryRun {
			sweep = sweeper.DryRun
		}
		report, err := sweep(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(s.Out).Encode(retentionReport{DryRun: c.DryRun, Classes: report})
		}
		table := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "CLASS\tKEPT\tPAST ITS TIME\tSPARED PARCELS")
		for _, r := range privacy.Rules {
			kept := string(r.From)
			if r.Keep > 0 {
				kept = fmt.Sprintf("%d days from %s", r.Days(), r.From)
			}
			fmt.Fprintf(table, "%s\t%s\t%d\t%d\n", r.Class, kept, report[r.Class].Gone, report[r.Class].Spared)
		}
		return table.Flush()
	})
}
