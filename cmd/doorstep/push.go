package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"doorstep/push/fcm"
	"doorstep/push/webpush"
)

type pushCmd struct {
	Check  pushCheckCmd  `cmd:"" help:"Say whether the push settings are good. Nothing is sent to anybody."`
	Keygen pushKeygenCmd `cmd:"" help:"Make a private key for Web Push."`
}

type pushCheckCmd struct {
	Services pushServices `embed:""`
}

// Run prints a line for each push service. It fails if one is not good, or if
// there is none.
func (c *pushCheckCmd) Run(ctx context.Context, s *streams) error {
	apps, appsErr := c.Services.fcm(ctx, 1)
	web, webErr := c.Services.webPush(1)
	bad := false
	say := func(service, text string) { fmt.Fprintf(s.Out, "%-9s %s\n", service, text) }
	switch {
	case appsErr != nil:
		bad = true
		say("FCM", appsErr.Error())
	case apps != nil:
		found := apps.Probe(ctx)
		apps.Close()
		bad = found != fcm.Good
		say("FCM", fmt.Sprintf("%s: %s", found, advice[found]))
	}
	switch {
	case webErr != nil:
		bad = true
		say("Web Push", webErr.Error())
	case web != nil:
		say("Web Push", "good: key and subject can be used; pages subscribe with "+web.PublicKey())
	}
	switch {
	case bad:
		return errors.New("the push settings are not good")
	case apps == nil && web == nil:
		return errors.New("there are no push settings")
	}
	return nil
}

// advice says what to do about a finding.
var advice = map[fcm.Finding]string{
	fcm.Good:        "FCM takes messages for this project",
	fcm.Credentials: "they are refused; make a new key for the service account (GOOGLE_APPLICATION_CREDENTIALS)",
	fcm.Permission:  "they may not send for this project; grant cloudmessaging.messages.create, and enable the FCM API",
	fcm.Project:     "FCM does not know it (404); check --fcm-project and --fcm-endpoint",
	fcm.APNSKey:     "Apple refuses the key that the Firebase project has; phones with Android are reached",
	fcm.Clock:       "this machine's clock is wrong, so its credentials are refused",
	fcm.Network:     "FCM or its token service cannot be reached; check the name server, firewall and proxy",
	fcm.TLS:         "the certificate or protocol is not to be trusted; check --fcm-endpoint and what stands between",
	fcm.Unavailable: "FCM is busy or broken; try again later",
	fcm.Unexpected:  "this is no answer of FCM; check --fcm-endpoint and what stands between",
}

type pushKeygenCmd struct {
	File string `arg:"" help:"Where to write the key. A file that is there stays: a new key would orphan all subscriptions."`
}

// Run writes the private key, for its owner only, and prints the public one.
func (c *pushKeygenCmd) Run(s *streams) error {
	key, err := webpush.NewKey()
	if err != nil {
		return err
	}
	public, err := webpush.PublicKey(key)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("push keygen: %w", err)
	}
	_, err = f.WriteString(key)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("push keygen: %w", err)
	}
	_, err = fmt.Fprintln(s.Out, public)
	return err
}
