package main

import (
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/photos/phototest"
)

// crashPhotos is how many photos a round sends.
const crashPhotos = 8

// keepPhotos kills a server at different moments while photos come. Those that
// it acknowledged are there afterwards, the others can be sent again, and of
// every file that is left the database knows what is to become of it.
func keepPhotos(t *testing.T, program string, c console) {
	var tokens [3]string
	for i, args := range [][]string{{"integrator"}, {"courier", "--courier", "li"}, {"manager", "--outlet", "west", "--subject", "Sun Yan"}} {
		tokens[i] = strings.TrimSpace(c.ok(append([]string{"token", "create", "--role"}, args...)...))
	}
	integrator, li, manager := tokens[0], tokens[1], tokens[2]
	server := start(t, program, c)
	server.must(http.MethodPost, integrator, "/v1/dispatches", api.DispatchBatch{Dispatches: []api.DispatchInput{parcel("SF1", "li", anne)}}, nil)
	folder := filepath.Join(c.data, "blobs")
	for round := range killRounds(t) {
		now := time.Now().UTC().Format(time.RFC3339)
		var taken []picture
		var declared api.EvidenceBatch
		for n := range crashPhotos {
			taken = append(taken, phototest.PNG(100+round, 100+n))
			declared.Records = append(declared.Records, api.EvidenceInput{
				ID: uuid.NewString(), Kind: "photo", Waybill: "SF1", OccurredAt: now, TakenAt: &now, Sha256: ptr(hashOf(taken[n])),
			})
		}
		server.must(http.MethodPost, li, "/v1/me/evidence", declared, nil)

		before := filesUnder(t, folder)
		answered := make(chan int, crashPhotos)
		go func() {
			defer close(answered)
			for n, p := range taken {
				status, _, err := server.call(http.MethodPut, li, photoPath(p), p)
				if err != nil || status != http.StatusOK {
					return
				}
				answered <- n
			}
		}()
		acknowledged := 0
		for n := range answered {
			acknowledged++
			if n == (2*round+1)%(crashPhotos-2) {
				break
			}
		}
		if round%2 == 0 { // the next one has a blob, and hardly a row yet
			require.Eventually(t, func() bool { return filesUnder(t, folder) > before+2*acknowledged }, processWait, time.Millisecond)
		}
		server.kill()
		for range answered {
			acknowledged++
		}
		require.Positive(t, acknowledged, server.log)
		server = start(t, program, c)
		for _, p := range taken[:acknowledged] {
			server.must(http.MethodGet, manager, photoPath(p), nil, nil)
		}
		for _, p := range taken { // the phone sends all of them again
			server.must(http.MethodPut, li, photoPath(p), p, nil)
			server.must(http.MethodGet, manager, photoPath(p), nil, nil)
		}
	}
	require.Zero(t, server.stop(), server.log)
	knownBlobs(t, c)
}

// knownBlobs checks that each file of a console's blobs is a photo's, or to be
// swept, and that each photo has its files.
func knownBlobs(t *testing.T, c console) {
	db := c.tables()
	defer db.Close()
	var held, waiting []string
	require.NoError(t, db.Select(&held, `select id from photo_blob where sweep_at_ms is null`))
	require.NoError(t, db.Select(&waiting, `select id from photo_blob where sweep_at_ms is not null`))
	require.Len(t, held, 2*crashPhotos*killRounds(t))
	var files []string
	require.NoError(t, filepath.WalkDir(filepath.Join(c.data, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, strings.TrimSuffix(filepath.Base(path), ".part"))
		}
		return err
	}))
	require.Subset(t, files, held, "a photo without its blob")
	require.Subset(t, append(held, waiting...), files, "a file that nobody will sweep")
}
