package main

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
)

// newMorning is a house before the parcels go out. Anne and Bela have said what
// they want, Carl has not.
func newMorning(t *testing.T, url string, options ...option) *app {
	t.Helper()
	a := newApp(t, url, options...)
	a.put(a.integrator(), "/v1/providers/generic", api.ProviderInput{MaskedNumbers: &[]string{maskedNumber}}).is(200)
	a.put(a.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"call_first", "no_locker"}}).is(200)
	a.put(a.consumer(bela), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"photo_proof"}}).is(200)
	return a
}

func TestTheRequestsOfTheMobileGuideAreAnsweredAsItShows(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newMorning(t, url)
		server := httptest.NewServer(a.handler)
		defer server.Close()
		received := 0
		r := replay{
			base: server.URL,
			known: map[string]string{
				"carrier": a.integrator(), "courier": a.courier("c-wang"), "consumer": a.consumer(anne),
				"photo": string(doorPhoto), "sha256": hashOf(doorPhoto),
			},
			nextPush: func() ([]byte, error) {
				list := a.sink.Messages()
				if len(list) == received {
					return nil, errors.New("no push has come")
				}
				received++
				return list[received-1].Message, nil
			},
		}
		for _, s := range shownIn(t, "../../docs/mobile.md") {
			// A minute passes, in which the server's workers do what is due
			a.clock.Add(time.Minute)
			a.sendDue()
			a.seal()
			require.NoError(t, r.play(s), "docs/mobile.md:%d", s.line)
		}
		require.Len(t, a.sink.Messages(), received, "the guide shows every push")
	})
}

func TestAReplayFindsWhatAGuideShowsWrongly(t *testing.T) {
	const is = `{"a": 1, "b": "one two", "c": [1, 2], "d": {"e": null}}`
	for _, same := range []string{
		`{}`, is, `{"b": "...two"}`, `{"b": "one {{second}}"}`, `{"a": "..."}`, `{"c": ["{{first}}", 2]}`, `{"c": [1, "..."]}`,
		`{"a": "{{known}}"}`, `{"d": {"e": null}}`,
	} {
		r := replay{known: map[string]string{"known": "1"}}
		require.NoError(t, r.matchJSON(same, []byte(is)), same)
	}
	for _, other := range []string{
		`[]`, `{"a": 2}`, `{"a": "1"}`, `{"b": "one"}`, `{"b": "...one"}`, `{"b": "{{known}}"}`, `{"c": [1]}`, `{"c": [2, "..."]}`,
		`{"c": [1, 2, 3, "..."]}`, `{"c": ["{{first}}", "{{first}}"]}`, `{"d": {"f": null}}`, `{"d": {}, "x": "..."}`, `{`,
	} {
		r := replay{known: map[string]string{"known": "1"}}
		require.Error(t, r.matchJSON(other, []byte(is)), other)
	}
	r := replay{known: map[string]string{}}
	require.ErrorContains(t, r.play(showing{kind: "http", text: "GET /v1/log/key HTTP/1.1\n"}), "no answer")
	require.ErrorContains(t, r.play(showing{kind: "http", text: "GET /{{what}} HTTP/1.1\n\nHTTP/1.1 200 OK\n"}), "{{what}}")
}
