// Package sdk sends messages with the bare Firebase SDK: what a sender without
// a queue, leases or a verdict on each attempt could reach. It is a package of
// its own so that bench compiles without the SDK.
package sdk

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/messaging"
	"golang.org/x/sync/errgroup"
	"google.golang.org/api/option"

	"doorstep/push/wire"
)

// Sender sends with so many messages in flight to the stand-in at Endpoint.
type Sender struct {
	Project  string
	Endpoint string
	InFlight int
}

// Send sends the message, which stands in the body of a request as the server
// made it, so many times. Like a server that has just started it opens new
// connections, such as the server's own sender uses.
func (s Sender) Send(ctx context.Context, body []byte, times int) error {
	var in struct {
		Message *messaging.Message `json:"message"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return fmt.Errorf("read the sample message: %w", err)
	}
	transport := wire.NewTransport(net.Dialer{}, s.InFlight, nil)
	defer transport.CloseIdleConnections()
	app, err := firebase.NewApp(ctx, &firebase.Config{ProjectID: s.Project},
		option.WithHTTPClient(&http.Client{Transport: transport}), option.WithEndpoint(s.Endpoint))
	if err != nil {
		return fmt.Errorf("firebase app: %w", err)
	}
	client, err := app.Messaging(ctx)
	if err != nil {
		return fmt.Errorf("firebase messaging: %w", err)
	}
	var left atomic.Int64
	left.Store(int64(times))
	sending, ctx := errgroup.WithContext(ctx)
	for range s.InFlight {
		sending.Go(func() error {
			for left.Add(-1) >= 0 {
				if _, err := client.Send(ctx, in.Message); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return sending.Wait()
}
