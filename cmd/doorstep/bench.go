package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"doorstep/bench"
	"doorstep/bench/sdk"
)

// benchCmd measures the server against the raw engine, on temporary data.
type benchCmd struct {
	Quick      bool     `help:"Be done within a minute: short runs, little data."`
	JSON       bool     `name:"json" help:"Print the report as JSON."`
	DB         string   `name:"db" placeholder:"URL" help:"PostgreSQL server, postgres://..., in which databases are made and dropped (default: SQLite in the temporary folder)."`
	Consumers  int      `placeholder:"N" help:"Measure growth with so many consumers who have wishes (with --quick: not measured, else 1000000)."`
	History    int      `placeholder:"N" help:"Measure growth with so many parcels of history (with --quick: not measured, else twice the consumers)."`
	Complaints int      `placeholder:"N" help:"Measure the desk and the figures of a company with so many complaints (with --quick: 20000, else 1000000)."`
	Leaves     int      `placeholder:"N" help:"Prove records of a log of so many leaves (with --quick: 20000, else 1000000)."`
	Only       []string `placeholder:"ROW" help:"Rows to measure, with commas between: ${bench_rows}."`
	Runs       int      `default:"5" help:"Runs of each row; their median counts."`
	Temp       string   `placeholder:"FOLDER" help:"Folder on the disk to measure (default: the system's temporary one)."`
	Program    string   `placeholder:"FILE" help:"Measure another build of doorstep (default: this program)."`

	scale *bench.Scale // of tests; nil: as Quick says
}

// Run prints a table. Where data is and what is being done goes to standard
// error.
func (c *benchCmd) Run(ctx context.Context, s *streams) (err error) {
	if c.Runs < 1 || c.Consumers < 0 || c.History < 0 || c.Complaints < 0 || c.Leaves < 0 {
		return errors.New("--runs must be at least 1, --consumers, --history, --complaints and --leaves at least 0")
	}
	cfg, err := c.config(s)
	if err != nil {
		return err
	}
	if cfg.Dir, err = os.MkdirTemp(c.Temp, "doorstep-bench-"); err != nil {
		return fmt.Errorf("--temp: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(cfg.Dir)) }()
	report, err := bench.Run(ctx, cfg)
	if err != nil {
		return err
	}
	if c.JSON {
		return report.WriteJSON(s.Out)
	}
	return report.WriteTable(s.Out)
}

func (c *benchCmd) config(s *streams) (cfg bench.Config, err error) {
	cfg = bench.Config{
		Program: c.Program, Postgres: c.DB, Consumers: c.Consumers, History: c.History, Complaints: c.Complaints, Leaves: c.Leaves, Only: c.Only, Runs: c.Runs,
		Quick: c.Quick, Scale: bench.Full, Log: s.Err,
	}
	if cfg.Program == "" {
		if cfg.Program, err = os.Executable(); err != nil {
			return cfg, err
		}
	}
	switch {
	case c.scale != nil:
		cfg.Scale = *c.scale
	case c.Quick:
		cfg.Scale = bench.Quick
	case cfg.Consumers == 0 && cfg.History == 0:
		cfg.Consumers = 1_000_000
	}
	if cfg.Complaints == 0 && c.scale == nil {
		cfg.Complaints = 1_000_000
		if c.Quick {
			cfg.Complaints = 20_000
		}
	}
	if cfg.Leaves == 0 {
		cfg.Leaves = 1_000_000
		if c.Quick {
			cfg.Leaves = 20_000
		}
	}
	if cfg.History == 0 {
		cfg.History = 2 * cfg.Consumers
	}
	return cfg, nil
}

// benchReferenceCmd is what bench runs beside the server, in processes of their
// own.
type benchReferenceCmd struct {
	Echo benchEchoCmd `cmd:"" help:"Decode dispatches and answer."`
	SDK  benchSDKCmd  `cmd:"" name:"sdk" help:"Send messages with the bare Firebase SDK."`
}

type benchEchoCmd struct{}

// Run serves until ctx ends.
func (benchEchoCmd) Run(ctx context.Context, s *streams) error { return bench.ServeEcho(ctx, s.Out) }

type benchSDKCmd struct {
	Endpoint string `required:"" help:"FCM's base URL."`
	InFlight int    `required:"" help:"Messages at once."`
}

// Run sends what it is told on standard input, until that ends.
func (c *benchSDKCmd) Run(ctx context.Context, s *streams) error {
	sender := sdk.Sender{Project: bench.Project, Endpoint: c.Endpoint, InFlight: c.InFlight}
	return bench.ServeSends(ctx, s.In, s.Out, sender.Send)
}
