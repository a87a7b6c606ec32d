package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"doorstep/evidence/bundle"
)

// verifyCmd checks an evidence bundle with the log's public key alone.
type verifyCmd struct {
	Key    string `placeholder:"KEY" help:"The log's public key, as GET /v1/log/key gives it. Get it from somebody who has no stake in the case."`
	Since  string `placeholder:"FILE" help:"An older checkpoint of the same log: the log must only have grown since."`
	Bundle string `arg:"" help:"The zip of GET /v1/complaints/{id}/bundle, as it was downloaded."`
}

// errKey tells how to get the key. One that came with the bundle would prove
// nothing.
var errKey = errors.New("--key is needed: the log's public key, from GET /v1/log/key of the carrier's server (no token), from the regulator, or from a courier's app; never from whoever gave you the bundle")

// maxCheckpoint bounds an older checkpoint's file, in bytes.
const maxCheckpoint = 64 << 10

// Run prints how every field stands, and fails unless all of the bundle holds.
func (c *verifyCmd) Run(s *streams) error {
	if c.Key == "" {
		return errKey
	}
	data, err := readUpTo(c.Bundle, bundle.MaxSize)
	if err != nil {
		return err
	}
	var since []byte
	if c.Since != "" {
		if since, err = readUpTo(c.Since, maxCheckpoint); err != nil {
			return err
		}
		if len(since) == 0 {
			return fmt.Errorf("%s is empty", c.Since)
		}
	}
	report, err := bundle.Verify(data, c.Key, string(since))
	if err != nil {
		return fmt.Errorf("the bundle does not hold: %w", err)
	}
	if err := printReport(s.Out, report); err != nil {
		return err
	}
	if !report.Holds() {
		return errors.New("the bundle does not hold")
	}
	return nil
}

// readUpTo reads a file that a stranger made.
func readUpTo(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	return data, err
}

// printReport quotes what comes from the bundle: it may be meant for a terminal.
func printReport(w io.Writer, r bundle.Report) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "case %q of %q\nlog %q, %d records\n", r.Case, r.Created, r.Origin, r.Size)
	for _, other := range r.Others {
		fmt.Fprintf(out, "log %q, %d records\n", other.Origin, other.Size)
	}
	for _, record := range r.Records {
		fmt.Fprintf(out, "%s\t%q\t%q\n", record.Name, record.Kind, record.ID)
		for _, f := range record.Fields {
			fmt.Fprintf(out, "  %s\t%s\t%s\n", f.Name, f.State, f.Note)
		}
	}
	for _, photo := range r.Photos {
		fmt.Fprintf(out, "photo %q\t%s\t%s\n", photo.SHA256, photo.State, photo.Note)
	}
	for _, what := range r.NotCovered {
		fmt.Fprintf(out, "not covered: %s\n", what)
	}
	for _, what := range r.Problems {
		fmt.Fprintf(out, "PROBLEM: %s\n", what)
	}
	if r.Holds() {
		fmt.Fprintf(out, "holds: every byte of %d files\n", r.Files)
	}
	return out.Flush()
}
