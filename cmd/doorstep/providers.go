package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"doorstep/api"
	"doorstep/push"
	"doorstep/push/fcm"
	"doorstep/push/webpush"
)

// pushServices says how the phones of couriers are reached.
type pushServices struct {
	FCMProject     string `name:"fcm-project" env:"DOORSTEP_FCM_PROJECT" help:"Firebase project. Without FCM settings apps have the inbox only."`
	FCMEndpoint    string `name:"fcm-endpoint" env:"DOORSTEP_FCM_ENDPOINT" help:"FCM's base URL, such as http://127.0.0.1:9099/v1; without credentials on this machine only."`
	FCMCredentials string `name:"fcm-credentials" env:"GOOGLE_APPLICATION_CREDENTIALS" help:"File of Google credentials."`

	WebPushKey      string   `name:"webpush-key" env:"DOORSTEP_WEBPUSH_KEY" placeholder:"FILE" help:"Private key of Web Push, as push keygen makes it. Without it browsers have the inbox only."`
	WebPushSubject  string   `name:"webpush-subject" env:"DOORSTEP_WEBPUSH_SUBJECT" placeholder:"URI" help:"Whom push services turn to: mailto: and an address, or an https URL."`
	WebPushHosts    []string `name:"webpush-hosts" env:"DOORSTEP_WEBPUSH_HOSTS" placeholder:"HOST" help:"Push services that may be called, with commas between (default: those of Chrome, Firefox, Safari and Edge)."`
	WebPushLoopback bool     `name:"webpush-loopback" help:"Also call push services on this machine, for development."`
}

// fcm is nil without settings. Half of them is an error, so that a typing
// mistake cannot turn pushes off in silence.
func (p pushServices) fcm(ctx context.Context, conns int) (*fcm.Sender, error) {
	if p.FCMProject == "" && p.FCMEndpoint == "" && p.FCMCredentials == "" {
		return nil, nil
	}
	sender, err := fcm.New(ctx, fcm.Config{
		Project: p.FCMProject, Endpoint: p.FCMEndpoint, CredentialsFile: p.FCMCredentials, MaxConns: conns,
	})
	if err != nil {
		return nil, fmt.Errorf("FCM settings (--fcm-project, --fcm-endpoint, GOOGLE_APPLICATION_CREDENTIALS): %w", err)
	}
	return sender, nil
}

// webPush is nil without settings; half of them is an error.
func (p pushServices) webPush(conns int) (*webpush.Sender, error) {
	const settings = "Web Push settings (--webpush-key, --webpush-subject, --webpush-hosts)"
	if p.WebPushKey == "" {
		if p.WebPushSubject != "" || len(p.WebPushHosts) > 0 || p.WebPushLoopback {
			return nil, fmt.Errorf("%s: the private key is missing", settings)
		}
		return nil, nil
	}
	key, err := os.ReadFile(p.WebPushKey)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", settings, err)
	}
	sender, err := webpush.New(webpush.Config{
		PrivateKey: strings.TrimSpace(string(key)), Subject: p.WebPushSubject, Hosts: p.WebPushHosts,
		AllowLoopback: p.WebPushLoopback, MaxConns: conns,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", settings, err)
	}
	return sender, nil
}

// providers are the push services that the settings name; web is among them, or
// nil.
func (p pushServices) providers(ctx context.Context, conns int) (all map[string]push.Provider, web *webpush.Sender, err error) {
	apps, err := p.fcm(ctx, conns)
	if err != nil {
		return nil, nil, err
	}
	if web, err = p.webPush(conns); err != nil {
		return nil, nil, err
	}
	all = map[string]push.Provider{}
	if apps != nil {
		all[push.FCM] = apps
	}
	if web != nil {
		all[push.WebPush] = web
	}
	return all, web, nil
}

// offerWebPush lets pages subscribe to what web sends.
func offerWebPush(server *api.Server, web *webpush.Sender) {
	server.WebPushKey = web.PublicKey()
	server.Inbox.CheckSubscription = web.CheckAddress
}
