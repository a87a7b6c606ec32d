package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep"
	"doorstep/access"
	"doorstep/push/sink"
	"doorstep/store"
)

// demoCmd tells the story on temporary data: a real server, a stand-in for FCM,
// and every step through the public API.
type demoCmd struct {
	Once   bool   `help:"Stop after the story; fail if a step of it did."`
	Listen string `help:"Address to listen on (default: 127.0.0.1:8080, or any free port if that is taken)."`

	told func(*demoStory) // told once the story is; nil outside tests
}

const (
	demoSettle = time.Second // a courier's alerts gather this long, so that the story need not wait
	demoSeed   = 1
)

// Run tells the story and, unless it is told once, goes on serving until ctx
// ends.
func (c *demoCmd) Run(ctx context.Context, s *streams) (err error) {
	data, err := os.MkdirTemp("", "doorstep-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	fmt.Fprintf(s.Out, "Temporary data in %s, gone at the end.\n", data)
	where := database{Data: data, TimeZone: "Asia/Shanghai"}
	tokens, err := newDemoTokens(ctx, where)
	if err != nil {
		return err
	}
	phones := sink.New(sink.Options{Seed: demoSeed})
	phonesAt, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}

	running, stop := context.WithCancel(ctx)
	defer stop()
	work, running := errgroup.WithContext(running)
	work.Go(func() error { return serveUntil(running, phonesAt, phones) })
	started := make(chan string, 1)
	server := serveCmd{
		Database: where, Listen: c.address(), LogLevel: "warn",
		Services:   pushServices{FCMProject: "demo", FCMEndpoint: "http://" + phonesAt.Addr().String() + "/v1"},
		PushSettle: demoSettle, PushContent: "tags", PushRate: 500, PushInFlight: 16,
		started: func(base string) { started <- base },
	}
	work.Go(func() error { return server.Run(running, &streams{In: s.In, Out: io.Discard, Err: s.Err}) })
	work.Go(func() error {
		defer stop()
		select {
		case <-running.Done():
			return nil // why is for the server to say
		case base := <-started:
			return c.tell(running, s, base, "http://"+phonesAt.Addr().String(), tokens, phones)
		}
	})
	return work.Wait()
}

// tell is what happens while everything runs.
func (c *demoCmd) tell(ctx context.Context, s *streams, base, phonesAt string, tokens demoTokens, phones *sink.Sink) error {
	t := &teller{out: s.Out, began: time.Now()}
	couriers, err := sink.NewCouriers(base, tokens.byPhone(), &http.Client{Timeout: 10 * time.Second})
	if err != nil {
		return err
	}
	phones.SetCouriers(couriers) // gives each phone its acknowledge button
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	browser := &http.Client{Timeout: 10 * time.Second, Jar: jar}
	story := &demoStory{teller: t, api: apiClient{base: base, client: browser}, tokens: tokens, phones: phones}
	if err := story.settle(ctx, s.Err); err != nil {
		return err
	}
	if err := story.tell(ctx); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\nAll %d checks hold. %.1f s.\n", t.checks, time.Since(t.began).Seconds())
	if c.Once {
		return nil
	}
	story.invite(phonesAt)
	if c.told != nil {
		c.told(story)
	}
	<-ctx.Done()
	return nil
}

// address prefers the port that the documentation names.
func (c *demoCmd) address() string {
	const usual = "127.0.0.1:8080"
	if c.Listen != "" {
		return c.Listen
	}
	l, err := net.Listen("tcp", usual)
	if err != nil {
		return "127.0.0.1:0"
	}
	_ = l.Close() // only asked whether it is free
	return usual
}

// serveUntil serves until ctx ends.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx }, // ends streams that are open
	}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		stopped <- server.Shutdown(grace)
	})
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// demoTokens are those that the story's people hold.
type demoTokens struct {
	integrator string
	couriers   map[string]string // by courier
	managers   map[string]string // by outlet
	links      demoLinks
}

// demoLinks sign in to the pages, once each.
type demoLinks struct{ courier, manager, hq string }

// byPhone are the couriers' tokens by where FCM reaches them.
func (t demoTokens) byPhone() map[string]string {
	tokens := map[string]string{}
	for _, c := range demoCouriers {
		tokens[phoneOf(c)] = t.couriers[c.id]
	}
	return tokens
}

// newDemoTokens makes them as the command token create does.
func newDemoTokens(ctx context.Context, where database) (demoTokens, error) {
	t := demoTokens{couriers: map[string]string{}, managers: map[string]string{}}
	err := where.with(ctx, func(db *store.DB) (err error) {
		office := newOffice(db)
		create := func(r access.Request) string {
			if err != nil {
				return ""
			}
			r.Company, r.TTL = "default", 24*time.Hour
			var secret string
			secret, err = office.Create(ctx, r)
			return secret
		}
		t.integrator = create(access.Request{Role: doorstep.RoleIntegrator})
		for _, o := range demoOutlets {
			t.managers[o.id] = create(access.Request{Role: doorstep.RoleManager, OutletID: o.id, Subject: o.manager})
		}
		for _, c := range demoCouriers {
			t.couriers[c.id] = create(access.Request{Role: doorstep.RoleCourier, CourierID: c.id})
		}
		link := func(r access.Request) string {
			r.Link = true
			return create(r)
		}
		t.links = demoLinks{
			courier: link(access.Request{Role: doorstep.RoleCourier, CourierID: wang.id}),
			manager: link(access.Request{Role: doorstep.RoleManager, OutletID: demoOutlets[0].id, Subject: demoOutlets[0].manager}),
			hq:      link(access.Request{Role: doorstep.RoleHQ, Subject: demoHQ}),
		}
		return err
	})
	return t, err
}
