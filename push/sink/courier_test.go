package sink_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push/sink"
)

// fakeAPI answers receipts and remembers what it was asked.
type fakeAPI struct {
	status        int
	answer        string // empty: every receipt is accepted
	calls         int
	path, token   string
	acknowledged  map[string]string // time by alert
	otherReceipts int
}

func (a *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.calls++
	a.path, a.token = r.Method+" "+r.URL.Path, r.Header.Get("Authorization")
	var in struct {
		Receipts []struct {
			AlertID string `json:"alert_id"`
			Event   string `json:"event"`
			At      string `json:"at"`
		} `json:"receipts"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	a.acknowledged = map[string]string{}
	var results []string
	for i, receipt := range in.Receipts {
		if receipt.Event != "acknowledged" {
			a.otherReceipts++
		}
		a.acknowledged[receipt.AlertID] = receipt.At
		results = append(results, fmt.Sprintf(`{"index":%d,"alert_id":%q,"status":"accepted"}`, i, receipt.AlertID))
	}
	w.WriteHeader(a.status)
	if a.answer == "" {
		a.answer = `{"results":[` + strings.Join(results, ",") + `]}`
	}
	_, _ = io.WriteString(w, a.answer)
}

// withCourier puts a courier behind phone-1 who speaks to api.
func withCourier(t *testing.T, s *sink.Sink, api http.Handler) {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	couriers, err := sink.NewCouriers(server.URL+"/", map[string]string{"phone-1": "secret-of-wang"}, server.Client())
	require.NoError(t, err)
	s.SetCouriers(couriers)
}

func acknowledge(s *sink.Sink, token, messageID string) *httptest.ResponseRecorder {
	return call(s, http.MethodPost, "/_sink/devices/"+token+"/acknowledgements", fmt.Sprintf(`{"message_id":%q}`, messageID))
}

func TestTheButtonAcknowledgesTheAlertsThroughTheAPI(t *testing.T) {
	s, clock := newClockedSink(1)
	api := &fakeAPI{status: http.StatusOK}
	withCourier(t, s, api)
	send(s, banner("digest", "x", "1-a", "1-b"))
	require.Contains(t, page(s, "en"), "Got it</button>")
	clock.now = clock.now.Add(90 * time.Second)

	res := acknowledge(s, "phone-1", s.Messages()[0].ID)

	require.Equal(t, http.StatusNoContent, res.Code, res.Body)
	require.Equal(t, "POST /v1/me/alerts/receipts", api.path)
	require.Equal(t, "Bearer secret-of-wang", api.token)
	require.Equal(t, map[string]string{"1-a": "2026-03-02T12:01:30Z", "1-b": "2026-03-02T12:01:30Z"}, api.acknowledged)
	require.Zero(t, api.otherReceipts)
	got := page(s, "en")
	require.NotContains(t, got, "</button>")
	require.Contains(t, got, "Acknowledged")
	require.NotContains(t, got, "secret-of-wang")
	require.Equal(t, []sink.EventKind{sink.Arrived, sink.Acknowledged}, kinds(s))
}

func TestAnAlertKnownBeforeIsAcknowledgedAsWell(t *testing.T) {
	s := newSink()
	withCourier(t, s, &fakeAPI{status: http.StatusOK, answer: `{"results":[{"status":"duplicate"}]}`})
	send(s, banner("digest", "x", "1-a"))
	require.Equal(t, http.StatusNoContent, acknowledge(s, "phone-1", s.Messages()[0].ID).Code)
}

func TestWhatTheAPIRefusesStaysUnacknowledged(t *testing.T) {
	for _, c := range []struct {
		status       int
		answer, want string
	}{
		{http.StatusUnauthorized, `{"code":"unauthorized"}`, "401"},
		{http.StatusServiceUnavailable, ``, "503"},
		{http.StatusOK, `{"results":[{"status":"rejected","problem":{"code":"not_found"}}]}`, "1-a: rejected not_found"},
		{http.StatusOK, `{"results":[]}`, "0 of 1"},
		{http.StatusOK, `<html>`, "answer"},
	} {
		s := newSink()
		withCourier(t, s, &fakeAPI{status: c.status, answer: c.answer})
		send(s, banner("digest", "x", "1-a"))

		res := acknowledge(s, "phone-1", s.Messages()[0].ID)

		require.Equal(t, http.StatusBadGateway, res.Code)
		require.Contains(t, res.Body.String(), c.want)
		require.NotContains(t, res.Body.String(), "secret-of-wang")
		require.Contains(t, page(s, "en"), "Got it</button>")
		require.Equal(t, []sink.EventKind{sink.Arrived}, kinds(s))
	}
}

func TestThereIsNoButtonWithoutACourierOrAlerts(t *testing.T) {
	nobody := newSink()
	send(nobody, banner("digest", "x", "1-a"))
	require.NotContains(t, page(nobody, "en"), "<button")
	require.Equal(t, http.StatusConflict, acknowledge(nobody, "phone-1", nobody.Messages()[0].ID).Code)

	s := newSink()
	withCourier(t, s, &fakeAPI{status: http.StatusOK})
	send(s, banner("news", "x"))
	send(s, digest("phone-2", `[{"id":"1-a"}]`))
	require.NotContains(t, page(s, "en"), "<button")
	require.Equal(t, http.StatusConflict, acknowledge(s, "phone-2", s.Messages()[1].ID).Code)
}

func TestOnlyABannerThatIsOnThePhoneIsAcknowledged(t *testing.T) {
	s := newSink()
	api := &fakeAPI{status: http.StatusOK}
	withCourier(t, s, api)
	send(s, banner("digest", "x", "1-a"))
	send(s, banner("digest", "x", "1-b")) // replaces it
	replaced, shown := s.Messages()[0].ID, s.Messages()[1].ID

	for _, id := range []string{replaced, "99-00000000", ""} {
		require.Equal(t, http.StatusNotFound, acknowledge(s, "phone-1", id).Code, id)
	}
	s.SetOnline("phone-1", false)
	require.Equal(t, http.StatusNotFound, acknowledge(s, "phone-1", shown).Code)
	require.Contains(t, page(s, "en"), " disabled>Got it</button>")
	require.Zero(t, api.calls)
	s.SetOnline("phone-1", true)
	require.Equal(t, http.StatusNoContent, acknowledge(s, "phone-1", shown).Code)
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, api := range []string{"", "127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://%zz"} {
		_, err := sink.NewCouriers(api, nil, http.DefaultClient)
		require.Error(t, err, api)
	}
}
