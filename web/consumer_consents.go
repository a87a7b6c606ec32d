package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/prefs"
)

var consentsPage = parse("consumer-consents.html")

// mostConsents bounds the list: the newest are shown.
const mostConsents = 100

// consentsView is what consumer-consents.html draws.
type consentsView struct {
	holder
	Consents []consentCard
	Trouble  string
}

// Kinds and Methods are what may be chosen.
func (consentsView) Kinds() []prefs.ConsentKind { return prefs.ConsentKinds }

// Methods are how receipt may be confirmed.
func (consentsView) Methods() []string { return prefs.ReceiptMethods }

// consentCard is one consent in words.
type consentCard struct {
	prefs.Consent
	State string // holds, ended or revoked
	Given string
	Until string
	Place string // which parcels
}

// stateOf says whether a consent holds.
func stateOf(c prefs.Consent, now time.Time) string {
	switch {
	case !c.RevokedAt.IsZero() && !now.Before(c.RevokedAt):
		return "revoked"
	case !c.ValidUntil.IsZero() && !now.Before(c.ValidUntil):
		return "ended"
	}
	return "holds"
}

// consents answers GET /p/{face}/consents.
func (p consumer) consents(c echo.Context, h holder) error {
	return p.drawConsents(c, h, "", http.StatusOK)
}

func (p consumer) drawConsents(c echo.Context, h holder, trouble string, status int) error {
	list, err := p.Own.Wishes.Consents(c.Request().Context(), h.Actor, prefs.ConsentPage{Limit: mostConsents})
	if err != nil {
		return fmt.Errorf("consents: %w", err)
	}
	v, texts := consentsView{holder: h, Trouble: trouble}, textsOf(c)
	for _, consent := range list {
		card := consentCard{Consent: consent, State: stateOf(consent, p.Own.Now()), Given: p.moment(c, consent.GivenAt)}
		if !consent.ValidUntil.IsZero() {
			card.Until = p.moment(c, consent.ValidUntil)
		}
		card.Place = texts.Text("consent.scope_" + consent.Scope.Name())
		if w := doorstep.Waybill(consent.Scope.Waybill()); w != "" {
			card.Place += " …" + w.LastFour()
		}
		v.Consents = append(v.Consents, card)
	}
	return p.ask(c, page{Template: consentsPage, Title: "consent.title", View: v, Status: status})
}

// giveConsent answers POST /p/{face}/consents. The last day counts to its end.
func (p consumer) giveConsent(c echo.Context, h holder) error {
	in := c.Request().PostForm
	order := prefs.ConsentRequest{
		Kind: in.Get("kind"), Scope: "all", Facility: strings.TrimSpace(in.Get("facility")), ReceiptMethod: in.Get("receipt_method"),
	}
	if !h.IsPerson() {
		order.Scope, order.Waybill = "parcel", string(h.Waybill)
	}
	var err error
	if day := in.Get("last_day"); day != "" {
		var last time.Time
		if last, err = time.ParseInLocation(time.DateOnly, day, p.Own.Zone); err == nil {
			order.ValidUntil = last.AddDate(0, 0, 1).Format(time.RFC3339)
		}
	}
	if err == nil {
		_, err = p.Own.Wishes.GiveConsent(c.Request().Context(), h.Actor, order)
	} else {
		err = doorstep.ErrInvalid
	}
	switch {
	case errors.Is(err, doorstep.ErrInvalid):
		return p.drawConsents(c, h, textsOf(c).Text("consent.incomplete"), http.StatusUnprocessableEntity)
	case err != nil:
		return fmt.Errorf("consent: %w", err)
	}
	return back(c, h.At("consents"))
}

// revokeConsent answers POST /p/{face}/consents/{id}.
func (p consumer) revokeConsent(c echo.Context, h holder) error {
	if err := p.Own.Wishes.RevokeConsent(c.Request().Context(), h.Actor, c.Param("id")); err != nil {
		return fmt.Errorf("consent: %w", err)
	}
	return back(c, h.At("consents"))
}
