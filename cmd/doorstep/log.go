package main

import (
	"context"
	"errors"
	"fmt"

	"doorstep/evidence"
	"doorstep/store"
)

type logCmd struct {
	Check logCheckCmd `cmd:"" help:"Make every log anew from its records and say where they differ."`
	Key   logKeyCmd   `cmd:"" help:"Print the key that signs the logs."`
}

type logCheckCmd struct {
	Database database `embed:""`
}

// errLog ends a check that has printed what it found.
var errLog = errors.New("the record and its log differ")

// Run goes through all logs, also behind one that is wrong.
func (c *logCheckCmd) Run(ctx context.Context, s *streams) error {
	return c.Database.with(ctx, func(db *store.DB) error {
		ledger := &evidence.Ledger{Store: db, Keys: db.LogKeys(), Now: now}
		bad := false
		err := checkLogs(ctx, db, ledger, func(log evidence.Log, leaves int64, err error) error {
			var found *evidence.DisagreementError
			switch {
			case errors.As(err, &found):
				bad = true
				fmt.Fprintln(s.Out, found)
				return nil
			case err != nil:
				return err
			}
			fmt.Fprintf(s.Out, "log %s: %d records as they were\n", ledger.Origin(log), leaves)
			return nil
		})
		if err == nil && bad {
			err = errLog
		}
		return err
	})
}

// checkLogs makes every log anew from its records and has found told what came of
// each; an error of found ends it.
func checkLogs(ctx context.Context, db *store.DB, ledger *evidence.Ledger, found func(evidence.Log, int64, error) error) error {
	logs, err := db.Logs(ctx)
	if err != nil {
		return err
	}
	checker := evidence.Checker{Store: db, Ledger: ledger}
	for _, log := range logs {
		leaves, err := checker.Check(ctx, log)
		if err := found(log, leaves, err); err != nil {
			return err
		}
	}
	return nil
}

type logKeyCmd struct {
	Database database `embed:""`
}

// Run prints the newest key, as doorstep verify takes it.
func (c *logKeyCmd) Run(ctx context.Context, s *streams) error {
	return c.Database.with(ctx, func(db *store.DB) error {
		_, err := fmt.Fprintln(s.Out, db.LogKeys().Public()[0])
		return err
	})
}
