package push_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/push"
)

// cabinet keeps the last device it was given.
type cabinet struct {
	push.InboxStore // nothing else is called
	address         string
}

func (c *cabinet) PutDevice(_ context.Context, _ doorstep.Actor, d push.Device, address string) (push.Device, error) {
	c.address = address
	return d, nil
}

const subscription = `{"endpoint":"https://push.example/x","keys":{"p256dh":"AA","auth":"AA"}}`

func TestASubscriptionIsJudgedByWhoSendsToIt(t *testing.T) {
	bad := &doorstep.InvalidError{Fields: []doorstep.FieldError{
		{Pointer: "/endpoint", Code: "host_not_allowed", Detail: "must be elsewhere"},
		{Code: "bad_subscription", Detail: "must be JSON"},
	}}
	for name, c := range map[string]struct {
		check   func(string) error
		address string
		want    []doorstep.FieldError
	}{
		"nobody sends, good form": {address: subscription},
		"nobody sends, bad form": {address: "x", want: []doorstep.FieldError{
			{Pointer: "/address", Code: "invalid_subscription", Detail: "must be the JSON of a push subscription with an https endpoint"},
		}},
		"good": {check: func(string) error { return nil }, address: "whatever the sender takes"},
		"refused": {check: func(string) error { return bad }, address: subscription, want: []doorstep.FieldError{
			{Pointer: "/address", Code: "host_not_allowed", Detail: "endpoint must be elsewhere"},
			{Pointer: "/address", Code: "bad_subscription", Detail: "must be JSON"},
		}},
		"refused for another reason": {check: func(string) error { return errors.New("no") }, address: subscription, want: []doorstep.FieldError{
			{Pointer: "/address", Code: "invalid", Detail: "no"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			kept := &cabinet{}
			inbox := push.Inbox{Store: kept, Now: func() time.Time { return now }, CheckSubscription: c.check}
			_, err := inbox.PutDevice(t.Context(), doorstep.Actor{}, push.DeviceRequest{
				InstallID: "browser-1", Provider: push.WebPush, Address: c.address, Locale: "en",
			})
			if c.want == nil {
				require.NoError(t, err)
				require.Equal(t, c.address, kept.address)
				return
			}
			var invalid *doorstep.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, c.want, invalid.Fields)
			require.Empty(t, kept.address)
		})
	}
}
