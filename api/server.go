package api

import (
	"context"
	"errors"
	"strconv"
	"time"

	"doorstep"
	"doorstep/access"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/evidence/bundle"
	"doorstep/feed"
	"doorstep/i18n"
	"doorstep/kpi"
	"doorstep/outreach"
	"doorstep/parcels"
	"doorstep/photos"
	"doorstep/prefs"
	"doorstep/privacy"
	"doorstep/push"
	"doorstep/telephony"
	"doorstep/webhooks"
)

// Server answers the contract's operations: it decodes, calls one use case and
// encodes. Rules are elsewhere.
type Server struct {
	Roster     *parcels.Roster
	Scanner    *parcels.Scanner
	Dispatcher *parcels.Dispatcher
	Runner     *parcels.Runner
	Signer     *parcels.Signer
	Book       *prefs.Book
	Panel      *prefs.Panel
	Desk       *complaints.Desk
	Inbox      *push.Inbox
	Watch      *push.Watch
	Recorder   *evidence.Recorder
	Album      *photos.Album
	Ledger     *evidence.Ledger
	Clerk      *evidence.Clerk
	Packer     *bundle.Packer
	PackPage   func(evidence.Pack, i18n.Texts) (page []byte, policy string, err error) // draws a regulator's pack
	Office     *access.Office
	Feed       *feed.Reader
	Board      *kpi.Board
	Hooks      *webhooks.Registry
	Outreach   *outreach.Desk
	Accounts   *telephony.Accounts
	Exchange   *telephony.Exchange
	Dialler    *telephony.Dialler
	CallBook   *telephony.Book
	Eraser     *privacy.Eraser
	Exporter   *privacy.Exporter
	Keeper     *privacy.Keeper
	Accesses   *privacy.AccessLog
	WebPushKey string         // what pages subscribe to pushes with; "" without Web Push
	PublicURL  func() string  // where consumers reach the pages, without a slash at its end
	Zone       *time.Location // of the days that people are told of
	Now        func() time.Time
}

var _ StrictServerInterface = (*Server)(nil)

// Tokens lets access.Authenticator stand at the door.
type Tokens struct{ *access.Authenticator }

// Authenticate implements Authenticator.
func (t Tokens) Authenticate(ctx context.Context, token string) (doorstep.Actor, error) {
	a, err := t.Authenticator.Authenticate(ctx, token)
	if errors.Is(err, access.ErrUnknown) {
		err = errors.Join(ErrUnauthorized, err)
	}
	return a, err
}

// optional is nil for the zero value: the field is then left out.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// given is the value of an optional field, or the zero value.
func given[T any](v *T) T {
	if v == nil {
		var zero T
		return zero
	}
	return *v
}

// moment reads a time from the query.
func moment(pointer string, text *string, checks *doorstep.Checks) time.Time {
	if text == nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		checks.Add(pointer, "invalid_time", "must be an RFC 3339 time")
	}
	return t
}

// pageByTime reads a page of a list that is sorted by time and id.
func pageByTime(limit, cursor *string) (size int, beforeMS int64, beforeID string, err error) {
	page, err := ParsePage(limit, cursor, 2)
	if err != nil || page.After == nil {
		return page.Limit, 0, "", err
	}
	beforeMS, err = strconv.ParseInt(page.After[0], 10, 64)
	if err != nil {
		return 0, 0, "", errCursor()
	}
	return page.Limit, beforeMS, page.After[1], nil
}

// cut splits one item too many off a page: it shows that there is a next one.
func cut[T any](items []T, limit int, cursor func(last T) *string) ([]T, *string) {
	if len(items) <= limit {
		return items, nil
	}
	items = items[:limit]
	return items, cursor(items[limit-1])
}

func cursorByTime(t time.Time, id string) *string {
	return NextCursor(strconv.FormatInt(t.UnixMilli(), 10), id)
}

// verdictProblem is the problem of a rejected item of a batch.
func verdictProblem(ctx context.Context, err error, list string, index int) *ItemProblem {
	if err == nil {
		return nil
	}
	return itemProblem(ctx, err, "/"+list+"/"+strconv.Itoa(index))
}
