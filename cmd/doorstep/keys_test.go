package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
	"doorstep/vault"
)

func TestKeysAreRotatedUnderARunningServerAndOldOnesDropped(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		c := console{t: t, data: t.TempDir(), url: url}
		path := filepath.Join(c.data, "keys.json")
		v, err := vault.Load(path)
		require.NoError(t, err)
		a := newApp(t, url, func(s *site) { s.vault = v })
		flock(t, a)
		read[api.Consent](a.post(a.consumer(canaryPhone), "/v1/me/consents", api.ConsentInput{Kind: "locker", Scope: "all", ReceiptMethod: "photo"},
			withHeader("Idempotency-Key", "k1")), http.StatusCreated)
		key := c.ok("keys", "status")
		require.Contains(t, key, "seal keys    1")

		require.Contains(t, c.ok("keys", "rotate", "--stage"), "staged")
		require.Error(t, c.run("keys", "rotate", "--stage").failed, "one waits already")
		reload(t, a, path)
		require.Contains(t, c.ok("keys", "rotate"), "the staged key seals")
		a.dispatch(parcel("SF-6001", "li", canaryPhone)) // a node that has not heard goes on with the old one
		require.Contains(t, c.ok("keys", "reseal"), "values sealed anew")
		sees := func() {
			t.Helper()
			text := string(a.get(a.consumer(canaryPhone), "/v1/me/export").body)
			for _, bird := range []string{canaryPhone, canaryName, canaryWords, canaryNote} {
				require.Contains(t, text, bird)
			}
		}
		sees() // what the new key sealed can be opened by it
		a.dispatch(parcel("SF-6002", "li", canaryPhone))
		require.NotContains(t, c.ok("keys", "reseal"), "\n0 values", "what it sealed since")
		reload(t, a, path)
		a.dispatch(parcel("SF-6003", "li", canaryPhone))
		require.Contains(t, c.ok("keys", "reseal", "--retire"), "the old keys are dropped")
		require.Contains(t, c.ok("keys", "status"), "seal keys    1")
		reload(t, a, path)
		sees()
		a.get(a.manager("west"), "/v1/evidence?limit=200").is(http.StatusOK)

		require.Contains(t, c.ok("keys", "rotate", "--log"), "signs the log")
		require.Contains(t, c.ok("keys", "status"), "log keys     2")
		require.Error(t, c.run("keys", "rotate", "--keys", `{"seal":{}}`).failed)
	})
}

// A regulator who missed the last change of keys can still check a bundle.
func TestABundleHoldsForWhoeverKnowsTheKeyBeforeTheLast(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		c := console{t: t, data: t.TempDir(), url: url}
		path := filepath.Join(c.data, "keys.json")
		started := func() *app {
			v, err := vault.Load(path)
			require.NoError(t, err)
			return newApp(t, url, func(s *site) { s.vault = v })
		}
		a := started()
		a.dispatch(parcel("SF1", "li", anne))
		complaint := a.complain(a.consumer(anne), "SF1", lockerZH)
		keys := []string{a.logKey()}
		older := a.file(a.manager("west"), complaint.ID).Checkpoint
		for range 2 {
			require.Contains(t, c.ok("keys", "rotate", "--log"), "signs the log")
			a = started()
			keys = append(keys, a.logKey())
			zip, since := filepath.Join(c.data, "case.zip"), filepath.Join(c.data, "older.txt")
			checkpoint := a.file(a.manager("west"), complaint.ID).Checkpoint
			require.Equal(t, 2, strings.Count(checkpoint.Checkpoint, "\n— "))
			require.NoError(t, os.WriteFile(zip, a.bundle(a.manager("west"), complaint.ID, "?since="+strconv.FormatInt(older.Size, 10)), 0o600))
			require.NoError(t, os.WriteFile(since, []byte(older.Checkpoint), 0o600))
			require.Contains(t, command(t, "verify", "--key", keys[len(keys)-1], zip).out, "holds: every byte of")
			require.Contains(t, command(t, "verify", "--key", keys[len(keys)-2], "--since", since, zip).out, "holds: every byte of")
			if len(keys) > 2 {
				require.ErrorContains(t, command(t, "verify", "--key", keys[0], zip).failed, "the key did not sign it")
			}
			older = checkpoint
		}
	})
}

// reload is what a server does on SIGHUP.
func reload(t *testing.T, a *app, path string) {
	t.Helper()
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, a.db.Reload(file))
}
