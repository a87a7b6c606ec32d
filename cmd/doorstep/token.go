package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"doorstep"
	"doorstep/access"
	"doorstep/store"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token and print it, this once."`
	List   tokenListCmd   `cmd:"" help:"List tokens, sign-in links and sessions."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token, a sign-in link or a session."`
}

type tokenCreateCmd struct {
	Database      database      `embed:""`
	Role          string        `required:"" help:"integrator, courier, consumer, manager or hq."`
	Company       string        `default:"default" help:"The carrier."`
	Outlet        string        `help:"The carrier's id of the outlet. Required for manager."`
	Courier       string        `help:"The carrier's id of the courier. Required for courier."`
	ConsumerPhone string        `help:"The consumer's telephone number. Required for consumer."`
	Subject       string        `help:"The person's name. Required for manager and hq."`
	TTL           time.Duration `name:"ttl" default:"2160h" help:"How long it holds. A sign-in link holds 15 minutes."`
	Link          bool          `help:"Print a sign-in link for the pages instead, which works once."`
	PublicURL     string        `name:"public-url" env:"DOORSTEP_PUBLIC_URL" default:"http://127.0.0.1:8080" help:"Where the pages are, for --link."`
}

// Run prints the token, or the link, alone on stdout.
func (c *tokenCreateCmd) Run(ctx context.Context, s *streams) error {
	return c.Database.with(ctx, func(db *store.DB) error {
		secret, err := newOffice(db).Create(ctx, access.Request{
			Role: doorstep.Role(c.Role), Company: c.Company, OutletID: c.Outlet, CourierID: c.Courier,
			ConsumerPhone: c.ConsumerPhone, Subject: c.Subject, TTL: c.TTL, Link: c.Link,
		})
		if err != nil {
			return err
		}
		if c.Link {
			secret = signInURL(c.PublicURL, secret)
		}
		_, err = fmt.Fprintln(s.Out, secret)
		return err
	})
}

// signInURL is where a sign-in link leads.
func signInURL(base, secret string) string {
	return strings.TrimRight(base, "/") + "/sign-in/" + secret
}

type tokenListCmd struct {
	Database database `embed:""`
}

// Run lists tokens, sign-in links and sessions, the newest first, without their
// secrets.
func (c *tokenListCmd) Run(ctx context.Context, s *streams) error {
	return c.Database.with(ctx, func(db *store.DB) error {
		tokens, err := db.Tokens(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tKIND\tROLE\tOUTLET\tCOURIER\tSUBJECT\tEXPIRES\tREVOKED")
		for _, t := range tokens {
			revoked := ""
			if !t.RevokedAt.IsZero() {
				revoked = t.RevokedAt.Format(time.RFC3339)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Kind, t.Role, t.OutletID, t.CourierID, t.Subject, t.ExpiresAt.Format(time.RFC3339), revoked)
		}
		return table.Flush()
	})
}

type tokenRevokeCmd struct {
	Database database `embed:""`
	ID       string   `arg:"" help:"The token's id, as token list shows it."`
}

// Run revokes a token; a running server refuses it within a second.
func (c *tokenRevokeCmd) Run(ctx context.Context, _ *streams) error {
	return c.Database.with(ctx, func(db *store.DB) error { return newOffice(db).Revoke(ctx, c.ID) })
}

func newOffice(db *store.DB) *access.Office {
	return &access.Office{Store: db, Now: now, NewID: doorstep.MakeID, Random: rand.Reader}
}
