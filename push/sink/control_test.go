package sink_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/push/sink"
)

type messageList struct {
	Messages []sink.Received
	Total    int
}

func list(t *testing.T, s *sink.Sink, query string) messageList {
	t.Helper()
	res := call(s, http.MethodGet, "/_sink/messages"+query, "")
	require.Equal(t, http.StatusOK, res.Code, res.Body)
	var got messageList
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &got))
	return got
}

func TestMessagesAreReadPageByPage(t *testing.T) {
	s := newSink()
	require.Equal(t, messageList{Messages: []sink.Received{}}, list(t, s, ""))
	for i := range 5 {
		sendTo(s, "phone-"+strconv.Itoa(i))
	}

	var tokens []string
	after := ""
	for {
		page := list(t, s, "?limit=2&after="+after)
		require.Equal(t, 5, page.Total)
		if len(page.Messages) == 0 {
			break
		}
		for _, m := range page.Messages {
			tokens = append(tokens, m.Token)
			after = m.ID
		}
	}

	require.Equal(t, []string{"phone-0", "phone-1", "phone-2", "phone-3", "phone-4"}, tokens)
	require.Len(t, list(t, s, "?after=3").Messages, 2) // a number does as well
	require.Empty(t, list(t, s, "?after=99").Messages)
}

func TestAnOddWindowIsRefused(t *testing.T) {
	for _, query := range []string{"?after=x", "?after=-1", "?limit=0", "?limit=10001", "?limit=x"} {
		for _, path := range []string{"/_sink/messages", "/_sink/requests"} {
			require.Equal(t, http.StatusBadRequest, call(newSink(), http.MethodGet, path+query, "").Code, path+query)
		}
	}
}

func TestAReadersPlaceOutlivesClearing(t *testing.T) {
	s := newSink()
	sendTo(s, "a")
	sendTo(s, "b")
	place := s.Messages()[1].ID

	require.Equal(t, http.StatusNoContent, call(s, http.MethodDelete, "/_sink/messages", "").Code)
	require.Equal(t, messageList{Messages: []sink.Received{}}, list(t, s, ""))
	sendTo(s, "c")

	got := list(t, s, "?after="+place)
	require.Equal(t, 1, got.Total)
	require.Equal(t, "c", got.Messages[0].Token)
}

func TestRequestsTellWhatBecameOfThem(t *testing.T) {
	s := newSink()
	sendTo(s, "a")
	sendTo(s, "sim-503-1")
	require.JSONEq(t, `{"total":2,"requests":[
		{"at":"2026-03-02T12:00:00Z","provider":"fcm","project":"demo","token":"a","action":"ok"},
		{"at":"2026-03-02T12:00:00Z","provider":"fcm","project":"demo","token":"sim-503-1","action":"503"}]}`,
		call(s, http.MethodGet, "/_sink/requests", "").Body.String())
}

func TestMemoryIsBoundedAndTheTotalCountsOn(t *testing.T) {
	s := newSink()
	for i := range 20_003 {
		sendTo(s, strconv.Itoa(i))
	}
	got := list(t, s, "")
	require.Equal(t, 20_003, got.Total)
	require.Len(t, got.Messages, 10_000)
	require.Equal(t, "10003", got.Messages[0].Token)
	require.Equal(t, "20002", got.Messages[9_999].Token)
	require.Equal(t, "20002", list(t, s, "?after=20002").Messages[0].Token)
}
