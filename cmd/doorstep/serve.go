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
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/evidence/bundle"
	"doorstep/feed"
	"doorstep/kpi"
	"doorstep/metrics"
	"doorstep/outreach"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/privacy"
	"doorstep/push"
	"doorstep/reading"
	"doorstep/session"
	"doorstep/store"
	"doorstep/telephony"
	"doorstep/web"
	"doorstep/webhooks"
	"doorstep/webhooks/https"
)

// serveCmd runs the server.
type serveCmd struct {
	Database  database `embed:""`
	Listen    string   `env:"DOORSTEP_LISTEN" default:"127.0.0.1:8080" help:"Address to listen on."`
	PublicURL string   `env:"DOORSTEP_PUBLIC_URL" help:"Where consumers reach this server (default: the address it listens on)."`
	Pictures  pictures `embed:""`
	LogLevel  string   `env:"DOORSTEP_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
	Metrics   string   `name:"metrics-listen" env:"DOORSTEP_METRICS_LISTEN" placeholder:"ADDRESS" help:"Address to serve Prometheus' /metrics on, such as 127.0.0.1:9464. Without it there are none."`

	Second       secondReader  `embed:"" prefix:"reader-"`
	Services     pushServices  `embed:""`
	PushSettle   time.Duration `env:"DOORSTEP_PUSH_SETTLE" default:"20s" help:"How long a courier's alerts gather into one push; 0s sends at once."`
	PushContent  string        `env:"DOORSTEP_PUSH_CONTENT" enum:"tags,opaque" default:"tags" help:"What a push says: tags, or opaque ids."`
	PushRate     float64       `env:"DOORSTEP_PUSH_RATE" default:"500" help:"Messages a second, to each push service."`
	PushInFlight int           `env:"DOORSTEP_PUSH_IN_FLIGHT" default:"256" help:"Messages, and connections, at once, to each push service."`

	WebhookPrivate bool `env:"DOORSTEP_WEBHOOK_PRIVATE" help:"Let webhooks lead to private, loopback and link-local addresses."`

	started func(base string) // told once the server answers; nil outside tests and the demo
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, s *streams) (err error) {
	log, err := logger(s, c.LogLevel)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
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
	providers, browsers, err := c.Services.providers(ctx, c.PushInFlight)
	if err != nil {
		return err
	}
	if len(providers) == 0 {
		log.Info("no push settings: couriers have the inbox only")
	}
	reader, err := reading.New()
	if err != nil {
		return err
	}
	policy, err := telephony.LoadPolicy()
	if err != nil {
		return err
	}
	again, err := c.Second.open(log)
	if err != nil {
		return err
	}
	album, _, err := c.Pictures.album(c.Database, db)
	if err != nil {
		return err
	}
	if c.Pictures.Blobs == "" && c.Database.isPostgres() {
		log.Info("photos are kept in the data folder: other nodes of this database need --blobs, and this one too", "folder", c.Database.Data)
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	base := "http://" + listener.Addr().String()
	var metricsListener net.Listener
	if c.Metrics != "" {
		if metricsListener, err = net.Listen("tcp", c.Metrics); err != nil {
			return fmt.Errorf("--metrics-listen: %w", err)
		}
	}

	bell := &push.Bell{}
	sender := push.NewSender(push.Sender{
		Queue: db, Providers: providers, Content: push.Content(c.PushContent), Now: now, Draw: mathrand.Float64,
		NewToken: uuid.NewString, Log: log, Rate: c.PushRate, InFlight: c.PushInFlight,
	})
	measured := metrics.New(metrics.Config{
		Queue: db, Services: sender.Services, Streams: bell.Listening, Now: time.Now, Log: log,
	})
	sender.Observer = measured
	db.Observe(measured)
	db.ClaimWith(sender)
	relay := feed.NewRelay(db, now, log)
	sealer := evidence.NewSealer(db, log)
	sorter := telephony.NewSorter(telephony.Sorter{Store: db, Policy: policy, Now: now, NewID: doorstep.MakeID, Log: log})
	receiver := https.New(https.Config{AllowPrivate: c.WebhookPrivate})
	hooks := webhooks.NewSender(webhooks.Config{
		Queue: db, Receiver: receiver, Observer: measured, Now: now, Draw: mathrand.Float64, Log: log,
	})
	db.OnNews(func(n store.News) {
		if n.Events || n.Missed {
			relay.Wake()
		}
		if n.Records || n.Missed {
			sealer.Wake()
		}
		if n.Reports || n.Missed {
			sorter.Wake()
		}
		if n.Numbered {
			hooks.Wake()
		}
		if !n.Events && !n.Records && !n.Reports && !n.Numbered {
			sender.Wake()
			ring(bell, n)
		}
	})
	operations := newServer(db, reader, policy, bell, now, doorstep.MakeID)
	operations.Album, operations.Packer.Photos, operations.Eraser.Photos = album, album, album.Sweep
	operations.PublicURL = c.publicURL(base)
	operations.Desk.Again = again
	operations.Hooks.Receiver, operations.Hooks.Wake = receiver, hooks.Wake
	operations.Inbox.Arrived = measured.Arrived
	operations.Panel.Paused = func(tag prefs.Tag) {
		measured.LearningPaused(tag)
		log.WarnContext(ctx, "learning paused: too much of it was called wrong", "tag", tag)
	}
	if browsers != nil {
		offerWebPush(operations, browsers)
	}
	server := newHTTPServer(handler(operations, db, measured, now, log), log)
	server.RegisterOnShutdown(bell.Close) // streams would outlast any patience

	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return sender.Run(ctx) })
	closer := push.Closer{Ledger: db, Now: now, Log: log}
	work.Go(func() error { return closer.Run(ctx) })
	reviser := parcels.Reviser{Store: db, Now: now, NewID: doorstep.MakeID, Log: log}
	work.Go(func() error { return reviser.Run(ctx) })
	sweeper := push.Sweeper{Store: db, Now: now, Log: log}
	work.Go(func() error { return sweeper.Run(ctx) })
	work.Go(func() error { return operations.Album.Run(ctx, log) })
	watch := complaints.Watch{Store: db, Now: now, NewID: doorstep.MakeID, Log: log}
	work.Go(func() error { return watch.Run(ctx) })
	keeper := kpi.Keeper{Store: db, Now: now, Log: log}
	work.Go(func() error { return keeper.Run(ctx) })
	work.Go(func() error { return relay.Run(ctx) })
	work.Go(func() error { return sealer.Run(ctx) })
	notary := evidence.Notary{Store: db, Ledger: operations.Ledger, Log: log}
	work.Go(func() error { return notary.Run(ctx) })
	work.Go(func() error { return sorter.Run(ctx) })
	work.Go(func() error { return hooks.Run(ctx) })
	feedSweeper := feed.Sweeper{Store: db, Now: now, Log: log}
	work.Go(func() error { return feedSweeper.Run(ctx) })
	operations.Eraser.Log = log
	work.Go(func() error { return operations.Eraser.Run(ctx) })
	work.Go(func() error { return c.Database.followKeys(ctx, db, log) })
	retention := privacy.Sweeper{Store: db, Photos: album.Sweep, Now: now, Log: log}
	work.Go(func() error { return retention.Run(ctx) })
	work.Go(func() error {
		return db.Hear(ctx, func(err error) { log.WarnContext(ctx, "hear of what others changed", "error", err) })
	})
	work.Go(func() error { return serveHTTP(ctx, server, listener) })
	fmt.Fprintf(s.Out, "doorstep on %[1]s  API docs %[1]s/docs\n", base)
	if metricsListener != nil {
		work.Go(func() error {
			return serveHTTP(ctx, newHTTPServer(metricsOnly(measured.Handler()), log), metricsListener)
		})
		fmt.Fprintf(s.Out, "metrics on http://%s/metrics\n", metricsListener.Addr())
	}
	if c.started != nil {
		c.started(base)
	}
	return work.Wait()
}

// gcPercent lets the heap grow to three times what lives in it, which is tens of
// megabytes: at Go's 100 the collector took a tenth of the server's time while a
// queue drained. GOGC in the environment overrides it.
const gcPercent = 200

// ring tells the streams of whom there is news.
func ring(bell *push.Bell, n store.News) {
	bell.Ring(n.Couriers...)
	if n.Missed {
		bell.RingAll()
	}
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

// publicURL is where consumers reach the server that listens at base.
func (c *serveCmd) publicURL(base string) func() string {
	if c.PublicURL != "" {
		base = strings.TrimRight(c.PublicURL, "/")
	}
	return func() string { return base }
}

// handler puts the use cases and the pages behind HTTP.
func handler(operations *api.Server, db *store.DB, measured *metrics.Metrics, now func() time.Time, log *slog.Logger) http.Handler {
	tokens := &access.Authenticator{Store: db, Now: now}
	jar := session.Jar{Secure: func() bool { return strings.HasPrefix(operations.PublicURL(), "https://") }}
	e := api.New(api.Config{
		Operations: operations,
		Tokens:     api.Tokens{Authenticator: tokens},
		Cookie:     jar.OfPage,
		Replays:    store.Replays{DB: db},
		Exchange:   operations.Exchange,
		Accounts:   operations.Accounts,
		PublicURL:  operations.PublicURL,
		Follow:     operations.Inbox.Follow,
		Dropped:    measured.Dropped,
		Ready:      db.Ping,
		Log:        log,
		Now:        now,
		NewID:      uuid.NewString,
		Draw:       mathrand.Float64,
	})
	web.Register(e, web.Config{
		Tokens: tokens, Sessions: operations.Office, Forms: operations.Outreach, Own: own(operations), Desks: desks(operations),
		Companies: db, Jar: jar, Log: log,
	})
	e.Use(measured.Requests(e))
	return e
}

// own are the use cases of the consumer's pages.
func own(s *api.Server) web.Own {
	return web.Own{
		Parcels: s.Signer, Wishes: s.Book, Complaints: s.Desk, Eraser: s.Eraser, SendCopy: s.SendExport, Zone: s.Zone, Now: s.Now,
	}
}

// desks are the use cases that the console shares with the API.
func desks(s *api.Server) web.Desks {
	return web.Desks{
		Complaints: s.Desk, Recorder: s.Recorder, Clerk: s.Clerk, Packer: s.Packer, Album: s.Album, Watch: s.Watch, CallBook: s.CallBook, Panel: s.Panel,
		Signer: s.Signer, Keeper: s.Keeper, Accesses: s.Accesses, Roster: s.Roster, Board: s.Board, Zone: s.Zone, Now: s.Now,
	}
}

// now is the time as it is kept: UTC, in milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// newServer builds the use cases over one database.
func newServer(db *store.DB, reader *reading.Reader, policy telephony.Policy, bell *push.Bell, now func() time.Time, newID doorstep.IDMaker) *api.Server {
	asker := &outreach.Desk{Store: db, Now: now, NewID: newID, Random: rand.Reader}
	server := &api.Server{
		Roster:     &parcels.Roster{Store: db, Now: now, TimeZone: db.TimeZone()},
		Scanner:    &parcels.Scanner{Store: db, Now: now, NewID: newID},
		Dispatcher: &parcels.Dispatcher{Store: db, Now: now, NewID: newID},
		Runner:     &parcels.Runner{Store: db, Now: now},
		Signer:     &parcels.Signer{Store: db, Now: now, NewID: newID},
		Book:       &prefs.Book{Store: db, Now: now, NewID: newID},
		Panel:      &prefs.Panel{Store: db, Now: now, NewID: newID},
		Desk:       &complaints.Desk{Store: db, Read: readWith(reader), Ask: asker.Inquire, Now: now, NewID: newID},
		Feed:       &feed.Reader{Store: db},
		Board:      &kpi.Board{Store: db, Now: now},
		Hooks:      &webhooks.Registry{Store: db, Receiver: https.New(https.Config{}), Now: now, NewID: newID, Random: rand.Reader},
		Outreach:   asker,
		Inbox:      &push.Inbox{Store: db, Now: now, Bell: bell},
		Watch:      &push.Watch{Store: db},
		Recorder:   &evidence.Recorder{Store: db, Now: now, NewID: newID},
		Keeper:     &privacy.Keeper{Store: db, Now: now, NewID: newID},
		Accesses:   &privacy.AccessLog{Store: db},
		Ledger:     &evidence.Ledger{Store: db, Keys: db.LogKeys(), Now: now},
		Accounts:   &telephony.Accounts{Store: db, Now: now, NewID: newID, Random: rand.Reader},
		Exchange:   &telephony.Exchange{Store: db, Now: now},
		Dialler:    &telephony.Dialler{Store: db, Policy: policy, Now: now, NewID: newID},
		CallBook:   &telephony.Book{Store: db, Policy: policy, Now: now},
		PackPage:   web.PackPage(db.Zone()),
		Office:     &access.Office{Store: db, Now: now, NewID: newID, Random: rand.Reader},
		Zone:       db.Zone(),
		Now:        now,
	}
	server.Clerk = &evidence.Clerk{Store: db, Ledger: server.Ledger, Feeds: server.CallBook.Course, Now: now, NewID: newID}
	server.Packer = &bundle.Packer{Clerk: server.Clerk}
	reviser := parcels.Reviser{Store: db, Now: now, NewID: newID}
	server.Eraser = &privacy.Eraser{Store: db, Recall: reviser.ReviseDue, Now: now}
	server.Exporter = &privacy.Exporter{Store: db, Tags: server.Book.Tags, Now: now, NewID: newID}
	asker.URL = func(secret string) string { return server.PublicURL() + "/p/" + secret }
	return server
}

// readWith tells the desk what the reader reads.
func readWith(reader *reading.Reader) func(string) complaints.Reading {
	return func(text string) complaints.Reading {
		read := reader.Read(text)
		out := complaints.Reading{Category: read.Category, Confidence: read.Confidence}
		for _, t := range read.Tags {
			out.Tags = append(out.Tags, complaints.TagReading{Tag: t.Tag, Confidence: t.Confidence})
		}
		return out
	}
}
