// Command doorstep serves the courier backend and holds its tools.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // outlets' zones, also where the system has none

	"github.com/alecthomas/kong"

	"doorstep/bench"
)

// streams are the process's own, or a test's.
type streams struct {
	In       io.Reader
	Out, Err io.Writer
}

type commands struct {
	Serve    serveCmd    `cmd:"" help:"Run the server."`
	Demo     demoCmd     `cmd:"" help:"Tell the whole story on temporary data, step by step."`
	Migrate  migrateCmd  `cmd:"" help:"Bring the schema up to date, or show how it stands."`
	Token    tokenCmd    `cmd:"" help:"Make, list and revoke tokens."`
	Log      logCmd      `cmd:"" help:"Check the logs of evidence, and print their key."`
	Keys     keysCmd     `cmd:"" help:"Rotate the keys that personal data is sealed with, and the log's."`
	Retain   retainCmd   `cmd:"" name:"retention" help:"Erase what is past its time, or say what would go."`
	Push     pushCmd     `cmd:"" help:"Check the push settings, and make keys."`
	Sink     sinkCmd     `cmd:"" help:"Run a local stand-in for FCM."`
	Import   importCmd   `cmd:"" help:"Take over a carrier's past complaints or dispatches."`
	Kpis     kpisCmd     `cmd:"" help:"Count the figures' days anew from the records."`
	Backtest backtestCmd `cmd:"" help:"Replay a carrier's own past and say what doorstep would have been worth."`
	Simulate simulateCmd `cmd:"" help:"Live through weeks of a made-up town twice, with alerts and without, and compare the figures."`
	Classify classifyCmd `cmd:"" help:"Read complaints (ndjson) and say what they wish."`
	Eval     evalCmd     `cmd:"" help:"Score the reader against labelled complaints."`
	Train    trainCmd    `cmd:"" help:"Make the reader's weights anew from the repository's data."`
	Verify   verifyCmd   `cmd:"" help:"Check an evidence bundle offline, with the log's public key alone."`
	Bench    benchCmd    `cmd:"" help:"Measure this machine: doorstep beside the raw engine, in one run."`
	Version  versionCmd  `cmd:"" help:"Print the version."`

	BenchReference benchReferenceCmd `cmd:"" hidden:"" help:"What bench measures doorstep against."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], &streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "doorstep:", err)
		os.Exit(1)
	}
}

// errUsage ends run after the parser has said what it had to say.
var errUsage = errors.New("see doorstep --help")

func run(ctx context.Context, args []string, s *streams) (err error) {
	var cli commands
	exited := false
	parser, err := kong.New(&cli,
		kong.Name("doorstep"),
		kong.Description("Tells a courier what the person behind the door wants, and keeps proof of what happened."),
		kong.Writers(s.Out, s.Err),
		kong.Exit(func(int) { exited = true }),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(s),
		kong.Vars{"bench_rows": strings.Join(bench.Names(), ", ")},
	)
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	switch {
	case exited: // --help has printed all there is to say
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", err, errUsage)
	}
	return command.Run()
}
