package main

import (
	"log/slog"
	"time"

	"doorstep/complaints"
	"doorstep/reading/outside"
)

// secondReader says which model elsewhere reads what the built-in reader is
// unsure of. Without a URL there is none.
type secondReader struct {
	URL     string        `name:"url" env:"DOORSTEP_READER_URL" placeholder:"URL" help:"Base URL of a chat completions service, such as https://models.example/v1, for complaints of which the built-in reader is unsure. Texts leave this machine, masked."`
	Model   string        `env:"DOORSTEP_READER_MODEL" help:"Its model."`
	Key     string        `env:"DOORSTEP_READER_KEY" help:"Its key. Better set by the environment: others on this machine can see flags."`
	Timeout time.Duration `env:"DOORSTEP_READER_TIMEOUT" default:"2s" help:"How long filing a complaint may wait for it, at most 5s."`
	Daily   int           `env:"DOORSTEP_READER_DAILY" default:"1000" help:"Calls a day (UTC)."`
}

// open gives nil if nothing is set.
func (r secondReader) open(log *slog.Logger) (complaints.SecondReader, error) {
	c := outside.Config{URL: r.URL, Model: r.Model, Key: r.Key, Timeout: r.Timeout, Daily: r.Daily}
	if !c.On() {
		return nil, nil
	}
	reader, err := outside.New(c, now, log)
	if err != nil {
		return nil, err
	}
	log.Info("an outside reader is asked about complaints of which the built-in one is unsure", "model", r.Model)
	return reader, nil
}
