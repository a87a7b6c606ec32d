package api

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/telephony"
)

// ingest takes what providers send: in their own forms, which generated code does
// not read, and answered as they expect.
type ingest struct {
	exchange  *telephony.Exchange
	accounts  *telephony.Accounts
	door      door
	publicURL func() string
}

// callbackKey is the parameter of a callback address that holds its secret.
const callbackKey = "key"

// callerKey is where admit leaves who calls in echo's context.
const callerKey = "doorstep.caller"

// admit knows who calls before a byte of the body is read: a provider by the
// secret in the address, the carrier's systems by their token.
func (in ingest) admit(next echo.HandlerFunc) echo.HandlerFunc {
	byToken := in.door.admit(admits["postProviderEvents"])(func(c echo.Context) error {
		c.Set(callerKey, telephony.Vouched(actor(c.Request().Context())))
		return next(c)
	})
	return func(c echo.Context) error {
		secret := c.QueryParam(callbackKey)
		if secret == "" {
			return byToken(c)
		}
		caller, err := in.accounts.Caller(c.Request().Context(), telephony.Provider(c.Param("provider")), secret)
		if errors.Is(err, doorstep.ErrNotFound) {
			c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer realm="doorstep"`)
			return fmt.Errorf("callback: %w", ErrUnauthorized)
		}
		if err != nil {
			return err
		}
		c.Set(callerKey, caller)
		return next(c)
	}
}

// readRecords reads the body, which must claim to be of the provider's kind.
func readRecords(next echo.HandlerFunc) echo.HandlerFunc {
	json, form := readBody(maxBatch, ofJSON)(next), readBody(maxBatch, ofForms)(next)
	return func(c echo.Context) error {
		if telephony.Provider(c.Param("provider")) == telephony.Twilio {
			return form(c)
		}
		return json(c)
	}
}

func isForm(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == echo.MIMEApplicationForm
}

// serve implements POST /v1/providers/{provider}/events.
func (in ingest) serve(c echo.Context) error {
	r := c.Request()
	body, _ := c.Get(bodyKey).([]byte)
	if len(body) == 0 {
		return &refusal{status: http.StatusBadRequest, code: "empty_body", detail: "records are needed"}
	}
	caller, provider := c.Get(callerKey).(telephony.Caller), telephony.Provider(c.Param("provider"))
	if provider == telephony.Generic { // a batch as any of ours
		if err := (strictJSON{}).Bind(&ProviderEventBatch{}, c); err != nil {
			return err
		}
	}
	verdicts, answer, err := in.exchange.Receive(r.Context(), caller, provider, telephony.Delivery{
		URL: in.publicURL() + r.URL.RequestURI(), Reference: c.QueryParam("reference"), Header: r.Header, Body: body, From: remote(r),
	})
	switch {
	case errors.Is(err, telephony.ErrUnreadable):
		return &refusal{status: http.StatusBadRequest, code: "bad_request", detail: telephony.ErrUnreadable.Error()}
	case err != nil:
		return err
	case answer.Status == http.StatusNoContent:
		return c.NoContent(answer.Status)
	case answer.Status != 0:
		return c.Blob(answer.Status, echo.MIMEApplicationJSON, []byte(answer.Body))
	}
	return c.JSON(http.StatusOK, eventResults(r.Context(), verdicts))
}

func eventResults(ctx context.Context, verdicts []telephony.Verdict) ProviderEventResults {
	body := ProviderEventResults{Results: make([]ProviderEventResult, len(verdicts))}
	for i, v := range verdicts {
		count(v.Status, &body.Accepted, &body.Duplicate, &body.Rejected)
		body.Results[i] = ProviderEventResult{
			Index: i, EventID: optional(v.EventID), Status: ItemStatus(v.Status), Problem: verdictProblem(ctx, v.Err, "events", i),
		}
	}
	return body
}

// remote is the address at the other end of the connection. What a header says of
// it anybody could have written.
func remote(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr()
}

// callbackURL is the address for a provider to call.
func callbackURL(base string, p telephony.Provider, secret string) string {
	return base + "/v1/providers/" + url.PathEscape(string(p)) + "/events?" + callbackKey + "=" + url.QueryEscape(secret)
}
