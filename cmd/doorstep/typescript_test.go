package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep/api"
	"doorstep/evidence"
	"doorstep/store/storetest"
)

const typeScript = "../../clients/typescript"

// buildClient generates the types of the client from openapi.yaml and compiles
// them strictly, with the programs beside them.
var buildClient = sync.OnceValues(func() ([]byte, error) {
	cmd := exec.Command("npm", "run", "build")
	cmd.Dir = typeScript
	return cmd.CombinedOutput()
})

func needClient(t *testing.T) {
	t.Helper()
	if os.Getenv("DOORSTEP_TYPESCRIPT") == "" {
		t.Skip("no TypeScript: run by make test and make faces, or through scripts/with-typescript")
	}
	out, err := buildClient()
	require.NoError(t, err, string(out))
}

// node runs a program of the client and returns what it prints, by lines.
func node(t *testing.T, program string, in []byte, env ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", program)
	cmd.Dir, cmd.Env, cmd.Stdin = typeScript, append(os.Environ(), env...), bytes.NewReader(in)
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.Output()
	require.NoError(t, err, "%s%s", out, failed.String())
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestACouriersDayThroughTheTypeScriptClient(t *testing.T) {
	needClient(t)
	storetest.OnEach(t, func(t *testing.T, url string) {
		tellTime := func(s *site) { s.clock.Add(time.Since(s.clock.Now())) } // the program has the machine's clock
		a := newMorning(t, url, tellTime)
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela), parcel("SF3", "li", carl))
		var one sync.Mutex
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			one.Lock()
			defer one.Unlock()
			tellTime(a.site)
			a.seal()
			a.handler.ServeHTTP(w, r)
		}))
		defer server.Close()

		require.Equal(t, []string{
			"signed in with none",
			"alerts: accepted accepted",
			"run: 3 parcels, then 304",
			"- SF1: Call before delivering, Do not use a parcel locker",
			"- SF2: Take a photo at drop-off",
			"- SF3: nothing unusual",
			"dial " + maskedNumber,
			"call location: accepted accepted",
			"call location: duplicate duplicate",
			"photo: accepted",
			"photo: duplicate",
			"photo: kept",
			"attempt: 1 made, next deliver",
			"locker: consent_required; missing consent; then call pre_contact return override",
			"in_person: signed, on ground of in_person",
			"the log has only grown",
			"signed out: 204",
		}, node(t, "built/day.js", nil, "DOORSTEP_BASE="+server.URL, "DOORSTEP_TOKEN="+a.courier("li")))

		for _, alert := range a.inbox("li") {
			require.True(t, alert.Acked)
		}
		require.Equal(t, api.EvidenceRecordPhotoStateArrived, *a.photo("SF1").PhotoState)
		require.Equal(t, "signed", string(a.parcel(a.courier("li"), "SF1").Status))
		require.Len(t, a.parcel(a.courier("li"), "SF3").History, 1)
	})
}

// growth is what a witness is asked to believe.
type growth struct {
	Key   string   `json:"key"`
	Kept  string   `json:"kept"`
	Next  string   `json:"next"`
	Proof []string `json:"proof"`
}

// holds is our own verdict.
func (g growth) holds() bool {
	verifier, err := note.NewVerifier(g.Key)
	if err != nil {
		return false
	}
	kept, err := evidence.OpenCheckpoint(g.Kept, note.VerifierList(verifier))
	if err != nil {
		return false
	}
	next, err := evidence.OpenCheckpoint(g.Next, note.VerifierList(verifier))
	if err != nil || next.Origin != kept.Origin {
		return false
	}
	proof := tlog.TreeProof{}
	for _, text := range g.Proof {
		h, err := tlog.ParseHash(text)
		if err != nil {
			return false
		}
		proof = append(proof, h)
	}
	return tlog.CheckTree(proof, next.Size, next.Root, kept.Size, kept.Root) == nil
}

func TestTheTypeScriptWitnessJudgesAsWeDo(t *testing.T) {
	needClient(t)
	const largest = 17
	var signers []note.Signer
	var keys []string
	for range 2 {
		secret, public, err := note.GenerateKey(rand.Reader, "log.example")
		require.NoError(t, err)
		signer, err := note.NewSigner(secret)
		require.NoError(t, err)
		signers, keys = append(signers, signer), append(keys, public)
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) (list []tlog.Hash, err error) {
		for _, i := range at {
			list = append(list, stored[i])
		}
		return list, nil
	})
	roots := make([]tlog.Hash, largest+1)
	for n := range int64(largest) {
		more, err := tlog.StoredHashes(n, []byte{byte(n)}, reader)
		require.NoError(t, err)
		stored = append(stored, more...)
		roots[n+1], err = tlog.TreeHash(n+1, reader)
		require.NoError(t, err)
	}
	sign := func(origin string, size int64, root tlog.Hash, key int) string {
		text, err := evidence.SignCheckpoint(origin, size, root, signers[key])
		require.NoError(t, err)
		return text
	}
	bent := func(h tlog.Hash) tlog.Hash { h[7] ^= 1; return h }

	var asked []growth
	for next := int64(1); next <= largest; next++ {
		for kept := int64(1); kept <= next; kept++ {
			hashes, err := tlog.ProveTree(next, kept, reader)
			require.NoError(t, err)
			proof := []string{}
			for _, h := range hashes {
				proof = append(proof, h.String())
			}
			was, is := sign("log", kept, roots[kept], 0), sign("log", next, roots[next], 0)
			asked = append(asked,
				growth{keys[0], was, is, proof},
				growth{keys[0], is, was, proof},
				growth{keys[1], was, is, proof},
				growth{keys[0], sign("log", kept, roots[kept], 1), is, proof},
				growth{keys[0], sign("other", kept, roots[kept], 0), is, proof},
				growth{keys[0], sign("log", kept, bent(roots[kept]), 0), is, proof},
				growth{keys[0], was, sign("log", next, bent(roots[next]), 0), proof},
				growth{keys[0], was, is, append(slices.Clone(proof), roots[1].String())},
				growth{keys[0], was, strings.Replace(is, "\n", "\n1", 1), proof},
			)
			for i, h := range hashes {
				asked = append(asked,
					growth{keys[0], was, is, slices.Concat(proof[:i], []string{bent(h).String()}, proof[i+1:])},
					growth{keys[0], was, is, slices.Concat(proof[:i], proof[i+1:])})
			}
		}
	}
	var in bytes.Buffer
	for _, g := range asked {
		require.NoError(t, json.NewEncoder(&in).Encode(g))
	}
	verdicts, held := node(t, "built/judge.js", in.Bytes()), 0
	require.Len(t, verdicts, len(asked))
	for i, g := range asked {
		require.Equal(t, g.holds(), verdicts[i] == "grown", "%s: %+v", verdicts[i], g)
		if g.holds() {
			held++
		}
	}
	require.Equal(t, largest*(largest+1)/2+largest, held, "the honest ones, and the same checkpoint either way round")
}
