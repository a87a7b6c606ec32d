package web_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/parcels"
	"doorstep/session"
	"doorstep/web"
)

// down is a store of parcels that fails.
type down struct {
	parcels.SignStore
	err error
}

func (d down) Holding(context.Context, doorstep.Actor, doorstep.Waybill, time.Time) (parcels.Custody, error) {
	return parcels.Custody{}, d.err
}

// complainOf asks for the second step of a complaint, where parcels fail with err,
// and gives the answer's status and what was logged.
func complainOf(err error) (status int, logged string) {
	var log bytes.Buffer
	own := own()
	own.Parcels = &parcels.Signer{Store: down{err: err}, Now: own.Now}
	e := echo.New()
	web.Register(e, web.Config{
		Tokens: links{}, Sessions: &desk{}, Forms: noForms{}, Own: own,
		Jar: session.Jar{Secure: func() bool { return false }}, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	p := &pages{handler: e, cookies: map[string]string{}}
	home := p.ask(http.MethodGet, "/p/"+personLink, "").Header().Get("Location")
	return p.ask(http.MethodPost, home+"/complain", "to=words&waybill=SF1234567890").Code, log.String()
}

func TestAFaultIsNoMissingParcel(t *testing.T) {
	status, logged := complainOf(errors.New("no database"))
	require.Equal(t, http.StatusInternalServerError, status)
	require.Contains(t, logged, "no database")

	status, logged = complainOf(doorstep.NotFound("parcel", "SF1234567890"))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Empty(t, logged)
}

func TestWhoeverLeavesBeforeTheAnswerIsNoFaultOfOurs(t *testing.T) {
	_, logged := complainOf(context.Canceled)
	require.Empty(t, logged)
}
