package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"doorstep/push/sink"
)

// sinkCmd serves the local stand-in for FCM.
type sinkCmd struct {
	Listen       string            `default:"127.0.0.1:9099" help:"Address to listen on."`
	AnyAddress   bool              `help:"Allow an address that other machines can reach. The sink asks nobody who they are."`
	Seed         *uint64           `help:"Of all that is left to chance (default: another one at each start)."`
	API          string            `name:"api" placeholder:"URL" help:"The server whose alerts the drawn phones can acknowledge, such as http://127.0.0.1:8080."`
	CourierToken map[string]string `mapsep:"none" placeholder:"PHONE=TOKEN" help:"A courier's token for the API, by the FCM token of the phone. May be repeated."`
}

// ackTimeout bounds one call of the API.
const ackTimeout = 10 * time.Second

// Run serves until ctx ends.
func (c *sinkCmd) Run(ctx context.Context, s *streams) error {
	phones, err := c.sink()
	if err != nil {
		return err
	}
	addr, err := net.ResolveTCPAddr("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	if !addr.IP.IsLoopback() && !c.AnyAddress {
		return fmt.Errorf("sink: %s can be reached from other machines; use 127.0.0.1, or --any-address if you mean it", c.Listen)
	}
	listener, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	base := "http://" + listener.Addr().String()
	fmt.Fprintf(s.Out, `FCM sink on %[1]s/ (phones), %[1]s/_sink/messages (JSON), %[1]s/_sink/events (stream)

Point the server at it with

  DOORSTEP_FCM_PROJECT=demo
  DOORSTEP_FCM_ENDPOINT=%[1]s/v1
`, base)

	server := &http.Server{
		Handler:           phones,
		ReadHeaderTimeout: 5 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx }, // ends simulated hangs and streams
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return fmt.Errorf("sink: %w", err)
	}
	return <-stopped
}

// sink makes the sink, with couriers behind its phones if there are any.
func (c *sinkCmd) sink() (*sink.Sink, error) {
	seed := rand.Uint64()
	if c.Seed != nil {
		seed = *c.Seed
	}
	phones := sink.New(sink.Options{Seed: seed})
	if c.API == "" && len(c.CourierToken) == 0 {
		return phones, nil
	}
	if c.API == "" || len(c.CourierToken) == 0 {
		return nil, errors.New("sink: --api and --courier-token need each other")
	}
	couriers, err := sink.NewCouriers(c.API, c.CourierToken, &http.Client{Timeout: ackTimeout})
	if err != nil {
		return nil, fmt.Errorf("sink: --api: %w", err)
	}
	phones.SetCouriers(couriers)
	return phones, nil
}
