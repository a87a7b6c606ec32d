package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/store"
)

// town is a demo whose story is told, and which goes on serving.
type town struct {
	t     *testing.T
	where database
	story *demoStory
}

// openTown tells the story and leaves the server running until the test ends.
func openTown(t *testing.T) *town {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	ctx, stop := context.WithCancel(context.Background())
	told, ended := make(chan *demoStory, 1), make(chan error, 1)
	var out bytes.Buffer
	demo := demoCmd{Listen: "127.0.0.1:0", told: func(s *demoStory) { told <- s }}
	go func() { ended <- demo.Run(ctx, &streams{In: bytes.NewReader(nil), Out: &out, Err: io.Discard}) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	select {
	case story := <-told:
		data, err := filepath.Glob(filepath.Join(os.TempDir(), "doorstep-demo-*"))
		require.NoError(t, err)
		require.Len(t, data, 1)
		w := &town{t: t, where: database{Data: data[0], TimeZone: "Asia/Shanghai"}, story: story}
		// No page may take its carrier for the only one on the server.
		require.NoError(t, w.where.with(ctx, func(db *store.DB) error {
			_, err := db.Company(ctx, "another carrier")
			return err
		}))
		return w
	case err := <-ended:
		ended <- err
		require.FailNow(t, "the demo ended", "%v\n%s", err, out.String())
		return nil
	}
}

// link makes a fresh link, as the command token create and the carrier do.
func (w *town) link(ctx context.Context, who string) (string, error) {
	ask := access.Request{Company: "default", TTL: time.Hour, Link: true}
	switch who {
	case "consumer", "parcel":
		scope, link := who, api.ConsumerLink{}
		if who == "consumer" {
			scope = access.ScopePerson
		}
		err := w.story.api.call(ctx, w.story.tokens.integrator, http.MethodPost, "/v1/parcels/"+todays+"/consumer-link", api.ConsumerLinkInput{Scope: &scope}, &link)
		return link.URL, err
	case "courier":
		ask.Role, ask.CourierID = doorstep.RoleCourier, wang.id
	case "manager":
		ask.Role, ask.OutletID, ask.Subject = doorstep.RoleManager, demoOutlets[0].id, demoOutlets[0].manager
	case "hq":
		ask.Role, ask.Subject = doorstep.RoleHQ, demoHQ
	default:
		return "", fmt.Errorf("%s: %w", who, doorstep.ErrNotFound)
	}
	var url string
	err := w.where.with(ctx, func(db *store.DB) error {
		secret, err := newOffice(db).Create(ctx, ask)
		url = signInURL(w.story.api.base, secret)
		return err
	})
	return url, err
}

// node runs a program of web/browser against the town.
func (w *town) node(args ...string) {
	w.t.Helper()
	links := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		url, err := w.link(r.Context(), r.URL.Path[1:])
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(rw, url)
	}))
	defer links.Close()
	cmd := exec.CommandContext(w.t.Context(), "node", args...)
	cmd.Dir = "../../web/browser"
	cmd.Env = append(os.Environ(), "DOORSTEP_BASE="+w.story.api.base, "DOORSTEP_LINKS="+links.URL)
	out, err := cmd.CombinedOutput()
	w.t.Log(string(out))
	require.NoError(w.t, err)
}

func needBrowser(t *testing.T) {
	t.Helper()
	if os.Getenv("DOORSTEP_BROWSER") == "" {
		t.Skip("no browser: run by make test and make faces, or through scripts/with-browser")
	}
}

// One test a face, so that they can be run alone: -run InABrowser/docs.
func TestThePagesInABrowser(t *testing.T) {
	needBrowser(t)
	faces, err := filepath.Glob("../../web/browser/*.test.js")
	require.NoError(t, err)
	require.NotEmpty(t, faces)
	for _, face := range faces {
		name := filepath.Base(face)
		t.Run(name[:len(name)-len(".test.js")], func(t *testing.T) {
			town := openTown(t)
			if name == "console.test.js" { // its lists and figures are as full as an outlet's at work
				require.NoError(t, town.live(t.Context()))
			}
			args := []string{"--test", name}
			if os.Getenv("DOORSTEP_LIGHT") != "" {
				args = []string{"--test", "--test-name-pattern=(is|are) light$", name}
			}
			town.node(args...)
		})
	}
}

func TestATourOfThePages(t *testing.T) {
	needBrowser(t)
	folder := os.Getenv("DOORSTEP_TOUR")
	if folder == "" {
		t.Skip("takes pictures: make tour")
	}
	town := openTown(t)
	require.NoError(t, town.live(t.Context()))
	town.node("tour.js", folder)
}
