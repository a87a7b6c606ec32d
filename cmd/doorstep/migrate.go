package main

import (
	"context"
	"fmt"

	"doorstep/store"
)

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Apply what is missing."`
	Status migrateStatusCmd `cmd:"" help:"List the steps of the schema."`
}

type migrateUpCmd struct {
	Database database `embed:""`
}

// Run applies the steps that are missing: opening the database does.
func (c *migrateUpCmd) Run(ctx context.Context, s *streams) error {
	return c.Database.with(ctx, func(db *store.DB) error { return printMigrations(ctx, db, s) })
}

type migrateStatusCmd struct {
	Database database `embed:""`
}

// Run lists the steps and changes nothing.
func (c *migrateStatusCmd) Run(ctx context.Context, s *streams) error {
	db, err := store.Peek(c.Database.url())
	if err != nil {
		return err
	}
	defer db.Close()
	return printMigrations(ctx, db, s)
}

func printMigrations(ctx context.Context, db *store.DB, s *streams) error {
	steps, err := db.Migrations(ctx)
	if err != nil {
		return err
	}
	for _, m := range steps {
		state := "pending"
		if m.Applied {
			state = "applied"
		}
		fmt.Fprintf(s.Out, "%-8s %s\n", state, m.Name)
	}
	return nil
}
