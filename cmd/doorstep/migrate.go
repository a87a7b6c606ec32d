package main

import (
	"context"
	"fmt"

	"doorstep/store"
)

type migrateCmd struct {
	Up        migrateUpCmd        `cmd:"" help:"Apply what is missing."`
	Status    migrateStatusCmd    `cmd:"" help:"List the steps of the schema."`
	Partition migratePartitionCmd `cmd:"" help:"Spread the tables that grow with every parcel over partitions (PostgreSQL)."`
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

type migratePartitionCmd struct {
	Database database `embed:""`
	Parts    int      `required:"" placeholder:"N" help:"Partitions of each table; 1 makes them plain again. Each is copied, with everybody kept out of it."`
}

// Run copies the tables that are not yet as they should be.
func (c *migratePartitionCmd) Run(ctx context.Context, s *streams) error {
	return c.Database.with(ctx, func(db *store.DB) error {
		if err := db.Partition(ctx, c.Parts); err != nil {
			return err
		}
		list, err := db.Partitions(ctx)
		if err != nil {
			return err
		}
		for _, t := range list {
			fmt.Fprintf(s.Out, "%4d %s\n", t.Parts, t.Table)
		}
		return nil
	})
}
