package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/push"
	"doorstep/push/fcm"
	"doorstep/reading"
	"doorstep/store"
	"doorstep/web"
)

// serveCmd runs the server.
type serveCmd struct {
	Database  database `embed:""`
	Listen    string   `env:"DOORSTEP_LISTEN" default:"127.0.0.1:8080" help:"Address to listen on."`
	PublicURL string   `env:"DOORSTEP_PUBLIC_URL" help:"Where consumers reach this server (default: the address it listens on)."`
	LogLevel  string   `env:"DOORSTEP_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`

	FCMProject     string        `name:"fcm-project" env:"DOORSTEP_FCM_PROJECT" help:"Firebase project. Without FCM settings couriers have the inbox only."`
	FCMEndpoint    string        `name:"fcm-endpoint" env:"DOORSTEP_FCM_ENDPOINT" help:"FCM's base URL, such as http://127.0.0.1:9099/v1; without credentials on this machine only."`
	FCMCredentials string        `name:"fcm-credentials" env:"GOOGLE_APPLICATION_CREDENTIALS" help:"File of Google credentials."`
	PushSettle     time.Duration `env:"DOORSTEP_PUSH_SETTLE" default:"20s" help:"How long a courier's alerts gather into one push; 0s sends at once."`
	PushContent    string        `env:"DOORSTEP_PUSH_CONTENT" enum:"tags,opaque" default:"tags" help:"What a push says: tags, or opaque ids."`
	PushRate       float64       `env:"DOORSTEP_PUSH_RATE" default:"500" help:"Messages a second."`
	PushInFlight   int           `env:"DOORSTEP_PUSH_IN_FLIGHT" default:"256" help:"Messages, and connections, at once."`

	started func(base string) // told once the server answers; nil outside tests and the demo
}

// drain is how long requests under way may take once the server is told to
// stop.
const drain = 10 * time.Second

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, s *streams) (err error) {
	log, err := logger(s, c.LogLevel)
	if err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	db, err := c.Database.open(ctx, c.PushSettle)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if !c.Database.isPostgres() {
		unlock, err := store.LockFile(filepath.Join(c.Database.Data, "serve.lock"))
		if err != nil {
			return fmt.Errorf("another server runs on %s: %w", c.Database.Data, err)
		}
		defer unlock()
		// The only server of this file: whoever held leases is dead.
		if err := db.TakeOver(ctx, now()); err != nil {
			return fmt.Errorf("take over leases: %w", err)
		}
	}
	providers, err := c.providers(ctx, log)
	if err != nil {
		return err
	}
	reader, err := reading.New()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	base := "http://" + listener.Addr().String()

	sender := push.NewSender(push.Sender{
		Queue: db, Providers: providers, Content: push.Content(c.PushContent), Now: now, Draw: mathrand.Float64,
		NewToken: uuid.NewString, Log: log, Limit: rate.NewLimiter(rate.Limit(c.PushRate), max(1, int(c.PushRate))), InFlight: c.PushInFlight,
	})
	db.OnNewPush(sender.Wake)
	server := &http.Server{
		Handler:           c.handler(db, reader, base, log),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}

	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return sender.Run(ctx) })
	work.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	work.Go(func() error {
		<-ctx.Done()
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		return server.Shutdown(stopping)
	})
	fmt.Fprintf(s.Out, "doorstep on %[1]s  API docs %[1]s/docs\n", base)
	if c.started != nil {
		c.started(base)
	}
	return work.Wait()
}

// check refuses settings that would only show their fault later.
func (c *serveCmd) check() error {
	switch {
	case c.PushSettle < 0 || c.PushSettle > longestSettle:
		return fmt.Errorf("--push-settle must be 0s to %s", longestSettle)
	case c.PushRate <= 0:
		return errors.New("--push-rate must be positive")
	case c.PushInFlight < 1:
		return errors.New("--push-in-flight must be at least 1")
	}
	return nil
}

// providers are the push services that the settings name.
func (c *serveCmd) providers(ctx context.Context, log *slog.Logger) (map[string]push.Provider, error) {
	if c.FCMProject == "" && c.FCMEndpoint == "" && c.FCMCredentials == "" {
		log.Info("no FCM settings: couriers have the inbox only")
		return nil, nil
	}
	sender, err := fcm.New(ctx, fcm.Config{
		Project: c.FCMProject, Endpoint: c.FCMEndpoint, CredentialsFile: c.FCMCredentials, MaxConns: c.PushInFlight,
	})
	if err != nil {
		return nil, fmt.Errorf("FCM settings (--fcm-project, --fcm-endpoint, GOOGLE_APPLICATION_CREDENTIALS): %w", err)
	}
	return map[string]push.Provider{push.FCM: sender}, nil
}

// handler wires the use cases to the database.
func (c *serveCmd) handler(db *store.DB, reader *reading.Reader, base string, log *slog.Logger) http.Handler {
	if c.PublicURL != "" {
		base = strings.TrimRight(c.PublicURL, "/")
	}
	server := newServer(db, reader, now, doorstep.MakeID)
	server.PublicURL = func() string { return base }
	tokens := &access.Authenticator{Store: db, Now: now}
	e := api.New(api.Config{
		Operations: server,
		Tokens:     api.Tokens{Authenticator: tokens},
		Replays:    store.Replays{DB: db},
		Ready:      db.Ping,
		Log:        log,
		Now:        now,
		NewID:      uuid.NewString,
	})
	web.Register(e, tokens)
	return e
}

// now is the time as it is kept: UTC, in milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// newServer builds the use cases over one database.
func newServer(db *store.DB, reader *reading.Reader, now func() time.Time, newID doorstep.IDMaker) *api.Server {
	return &api.Server{
		Roster:     &parcels.Roster{Store: db, Now: now, TimeZone: db.TimeZone()},
		Scanner:    &parcels.Scanner{Store: db, Now: now},
		Dispatcher: &parcels.Dispatcher{Store: db, Now: now, NewID: newID},
		Runner:     &parcels.Runner{Store: db, Now: now},
		Book:       &prefs.Book{Store: db, Now: now, NewID: newID},
		Desk:       &complaints.Desk{Store: db, Read: readWith(reader), Now: now, NewID: newID},
		Inbox:      &push.Inbox{Store: db, Now: now},
		Recorder:   &evidence.Recorder{Store: db, Now: now, NewID: newID},
		Office:     &access.Office{Store: db, Now: now, NewID: newID, Random: rand.Reader},
		Now:        now,
	}
}

// readWith tells the desk what the reader reads.
func readWith(reader *reading.Reader) func(string) complaints.Reading {
	return func(text string) complaints.Reading {
		read := reader.Read(text)
		out := complaints.Reading{Category: read.Category}
		for _, t := range read.Tags {
			out.Tags = append(out.Tags, complaints.TagReading{Tag: t.Tag, Confidence: t.Confidence})
		}
		return out
	}
}
