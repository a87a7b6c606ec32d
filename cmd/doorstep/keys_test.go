package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/blobs"
	"doorstep/store"
	"doorstep/store/storetest"
	"doorstep/vault"
)

func TestKeysAreRotatedUnderARunningServerAndOldOnesDropped(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		c := console{t: t, data: t.TempDir(), url: url}
		path := filepath.Join(c.data, "keys.json")
		v, err := vault.Load(path)
		require.NoError(t, err)
		a := newApp(t, url, func(s *site) {
			s.vault = v
			s.blobs = blobs.Sealed{Store: blobs.OpenFolder(filepath.Join(c.data, "blobs")), Vault: v}
		})
		flock(t, a)
		a.declare("li", "SF-5001", doorPhoto)
		a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto).is(http.StatusOK)
		note := a.complain(a.consumer(canaryPhone), "SF-5001", callEN).ID
		a.post(a.manager("west"), "/v1/complaints/"+note+"/notes", words("A note")).is(http.StatusCreated)
		a.bring(aCall("c-1", "SF-5001", a.clock.Now())...)
		read[api.Consent](a.post(a.consumer(canaryPhone), "/v1/me/consents", api.ConsentInput{Kind: "locker", Scope: "all", ReceiptMethod: "photo"},
			withHeader("Idempotency-Key", "k1")), http.StatusCreated)
		key := c.ok("keys", "status")
		require.Contains(t, key, "seal keys    1")

		require.Contains(t, c.ok("keys", "rotate", "--stage"), "staged")
		require.Error(t, c.run("keys", "rotate", "--stage").failed, "one waits already")
		reload(t, a, path)
		require.Contains(t, c.ok("keys", "rotate"), "the staged key seals")
		a.dispatch(parcel("SF-6001", "li", canaryPhone)) // a node that has not heard goes on with the old one
		require.Contains(t, c.ok("keys", "reseal"), "1 photos sealed anew")
		sees := func() {
			t.Helper()
			text := string(a.get(a.consumer(canaryPhone), "/v1/me/export").body)
			a.get(a.courier("li"), photoPath(doorPhoto)).is(http.StatusOK)
			a.get(a.manager("west"), "/v1/complaints/"+note+"/notes").is(http.StatusOK)
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

// While an old key may still be needed, or a newer one waits, none is dropped.
func TestKeysThatMayBeNeededAreNotRetired(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		c := console{t: t, data: t.TempDir(), url: url}
		path := filepath.Join(c.data, "keys.json")
		v, err := vault.Load(path)
		require.NoError(t, err)
		a := newApp(t, url, func(s *site) { s.vault = v })
		retire := func() error { return c.run("keys", "reseal", "--retire").failed }
		keys := func(n string) {
			t.Helper()
			require.Contains(t, c.ok("keys", "status"), "seal keys    "+n)
		}

		c.ok("keys", "rotate", "--stage")
		require.ErrorContains(t, retire(), "staged")
		keys("2")
		c.ok("keys", "rotate")

		// An upload that is under way was sealed with the old key, and a row may come to hold it.
		require.NoError(t, a.db.BeginPhoto(t.Context(), 1, []string{"an-upload"}, time.Now().Add(time.Hour)))
		under := blobs.Sealed{Store: blobs.OpenFolder(filepath.Join(c.data, "blobs")), Vault: v}
		require.NoError(t, under.Put(t.Context(), "an-upload", doorPhoto))
		require.ErrorContains(t, retire(), "1 blobs of uploads")
		keys("2")
		require.NoError(t, under.Delete(t.Context(), "an-upload"))

		// Whoever changes the file holds its lock.
		unlock, err := store.LockFile(path + ".lock")
		require.NoError(t, err)
		require.ErrorContains(t, retire(), "lock")
		require.Error(t, c.run("keys", "rotate").failed)
		keys("2")
		unlock()
		require.NoError(t, retire())
		keys("1")
	})
}

func TestAKeyFileThatIsMissingIsNotMadeByLookingAtIt(t *testing.T) {
	c := console{t: t, data: t.TempDir(), url: storetest.SQLite(t)}
	for _, args := range [][]string{{"status"}, {"rotate"}, {"rotate", "--stage"}, {"rotate", "--log"}, {"reseal", "--retire"}} {
		require.ErrorContains(t, c.run(append([]string{"keys"}, args...)...).failed, "key file", args)
	}
	files, err := os.ReadDir(c.data)
	require.NoError(t, err)
	require.Empty(t, files)
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
