package push

import (
	"context"
	"fmt"
	"time"

	"doorstep"
)

// Heartbeat is how long a stream is silent at most. Android has cut connections
// that were silent for 77 s (ntfy's experience). It is also the longest that a
// ring which was missed delays an alert.
const Heartbeat = 25 * time.Second

// Drop is why the server ended a stream that a phone still listened to. It is
// the error that such a stream ends with.
type Drop string

// The drops. A phone that hung up, and a server that stops, are none.
const (
	Replaced   Drop = "replaced"    // the same phone opened a newer one
	TooMany    Drop = "too_many"    // the courier opened more than MaxStreams, and this was his oldest
	SlowReader Drop = "slow_reader" // the phone did not take what it was sent
	TokenEnded Drop = "token_ended" // it expired or was revoked
)

// Error implements error.
func (d Drop) Error() string { return "stream dropped: " + string(d) }

// streamPage is how many alerts are read and handed over at once.
const streamPage = 200

// Follow hands over the caller's alerts after a place in the inbox, in order, as
// they come. The first list comes at once; an empty one is a heartbeat, or says
// that there is nothing yet. device names the phone, by its install id if it
// has one, else by its token.
//
// It ends without an error when ctx does or the bell closes, with Replaced when
// the same device follows anew, with TooMany when the courier's streams are more
// than MaxStreams, and with deliver's error when that fails. Before the first
// list a bad device gives an *doorstep.InvalidError.
func (b *Inbox) Follow(ctx context.Context, a doorstep.Actor, device string, after int64, deliver func([]Alert) error) error {
	var checks doorstep.Checks
	device, err := doorstep.CheckText(device, 0, maxInstallID)
	checks.Under("/install_id", err)
	if err := checks.Err(); err != nil {
		return err
	}
	if device == "" {
		device = a.TokenID
	}
	courierNo, err := b.Store.EnsureCourier(ctx, a)
	if err != nil {
		return fmt.Errorf("courier: %w", err)
	}
	ear := b.Bell.Listen(courierNo, device) // before the first look: what comes after that look rings
	defer b.Bell.Leave(ear)
	silence := time.NewTimer(Heartbeat)
	defer silence.Stop()
	for due := true; ; {
		list, err := b.Store.Alerts(ctx, a, after, streamPage)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("alerts: %w", err)
		}
		if len(list) > 0 || due {
			if err := deliver(list); err != nil {
				return err
			}
			silence.Reset(Heartbeat)
		}
		if len(list) > 0 {
			after = list[len(list)-1].Seq
		}
		if len(list) == streamPage {
			ear.hear() // there may be more
		}
		due = false
		select {
		case <-ctx.Done():
			return nil
		case <-ear.Closed:
			return ear.Why()
		case <-ear.Rung:
		case <-silence.C:
			due = true
		}
	}
}
