package sink_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push/sink"
)

// clock is a sink's time, moved by the test.
type clock struct{ now time.Time }

func newClockedSink(seed uint64) (*sink.Sink, *clock) {
	c := &clock{noon}
	return sink.New(sink.Options{Now: func() time.Time { return c.now }, Seed: seed}), c
}

// message sends android's fields to phone-1, marked by name.
func message(s *sink.Sink, name, android string) {
	send(s, fmt.Sprintf(`{"message":{"token":"phone-1","data":{"name":%q},"android":{%s}}}`, name, android))
}

// arrivals are the names of the messages that reached a phone, in order.
func arrivals(t *testing.T, s *sink.Sink) []string {
	t.Helper()
	names := []string{}
	for _, e := range s.Events() {
		if e.Kind != sink.Arrived {
			continue
		}
		var m struct{ Data struct{ Name string } }
		require.NoError(t, json.Unmarshal(e.Message, &m))
		names = append(names, m.Data.Name)
	}
	return names
}

func kinds(s *sink.Sink) []sink.EventKind {
	var list []sink.EventKind
	for _, e := range s.Events() {
		list = append(list, e.Kind)
	}
	return list
}

func TestAMessageReachesAnOnlinePhoneAtOnce(t *testing.T) {
	s := newSink()
	message(s, "a", `"ttl":"0s"`)
	require.Equal(t, []string{"a"}, arrivals(t, s))
	require.Equal(t, []sink.Device{{Token: "phone-1", Online: true, Arrived: 1}}, s.Devices())
	require.Equal(t, s.Messages()[0].ID, s.Events()[0].MessageID)
}

func TestAnOfflinePhoneGetsItsMessagesWhenItIsBack(t *testing.T) {
	s := newSink()
	s.SetOnline("phone-1", false)
	message(s, "a", ``)
	require.Empty(t, arrivals(t, s))
	require.Len(t, s.Messages(), 1) // FCM has it
	require.Equal(t, []sink.Device{{Token: "phone-1", Waiting: 1}}, s.Devices())

	s.SetOnline("phone-1", true)
	s.SetOnline("phone-1", true) // no news

	require.Equal(t, []string{"a"}, arrivals(t, s))
	require.Equal(t, []sink.EventKind{sink.Offline, sink.Missed, sink.Online, sink.Arrived}, kinds(s))
	require.Equal(t, []sink.Device{{Token: "phone-1", Online: true, Arrived: 1}}, s.Devices())
}

func TestAMessageWaitsNoLongerThanItsTTL(t *testing.T) {
	for _, c := range []struct {
		android string
		away    time.Duration
		arrives bool
	}{
		{`"ttl":"0s"`, 0, false},
		{`"ttl":"60s"`, 60*time.Second - 1, true},
		{`"ttl":"60s"`, 60 * time.Second, false},
		{`"ttl":"1.5s"`, 1499 * time.Millisecond, true},
		{`"ttl":"1.5s"`, 1500 * time.Millisecond, false},
		{`"ttl":"0.000000001s"`, 0, true},
		{``, 28*24*time.Hour - 1, true},
		{``, 28 * 24 * time.Hour, false},
	} {
		s, clock := newClockedSink(1)
		s.SetOnline("phone-1", false)
		message(s, "a", c.android)
		clock.now = clock.now.Add(c.away)
		require.Equal(t, c.arrives, s.Devices()[0].Waiting == 1, c)
		s.SetOnline("phone-1", true)
		require.Equal(t, c.arrives, len(arrivals(t, s)) == 1, c)
	}
}

func TestTheNewestMessageOfACollapseKeyWaits(t *testing.T) {
	s := newSink()
	s.SetOnline("phone-1", false)
	message(s, "digest 1", `"collapse_key":"digest"`)
	message(s, "case 1", `"collapse_key":"case"`)
	message(s, "plain 1", ``)
	message(s, "digest 2", `"collapse_key":"digest"`)
	message(s, "plain 2", ``)
	message(s, "digest now or never", `"collapse_key":"digest","ttl":"0s"`) // replaces nothing

	s.SetOnline("phone-1", true)

	require.ElementsMatch(t, []string{"digest 2", "case 1", "plain 1", "plain 2"}, arrivals(t, s))
}

func TestFourCollapseKeysWaitAtMost(t *testing.T) {
	losers := map[string]bool{}
	for seed := range uint64(40) {
		s, _ := newClockedSink(seed)
		s.SetOnline("phone-1", false)
		message(s, "plain", ``)
		for _, key := range []string{"a", "b", "c", "d"} {
			message(s, key, `"collapse_key":"`+key+`"`)
		}
		require.Equal(t, 5, s.Devices()[0].Waiting)
		message(s, "e", `"collapse_key":"e"`)

		s.SetOnline("phone-1", true)

		got := arrivals(t, s)
		require.Len(t, got, 5)
		require.Contains(t, got, "plain")
		for _, key := range []string{"a", "b", "c", "d", "e"} {
			if !slices.Contains(got, key) {
				losers[key] = true
			}
		}
	}
	require.Len(t, losers, 5, "any key may be the one that goes")
}

func TestTooManyPlainMessagesAreAllDroppedAndThePhoneIsTold(t *testing.T) {
	s := newSink()
	s.SetOnline("phone-1", false)
	message(s, "digest", `"collapse_key":"digest"`)
	for i := range 100 {
		message(s, strconv.Itoa(i), ``)
	}
	require.Equal(t, sink.Device{Token: "phone-1", Waiting: 101}, s.Devices()[0])
	message(s, "one too many", ``)
	require.Equal(t, sink.Device{Token: "phone-1", Dropped: true}, s.Devices()[0])
	message(s, "after", ``)

	s.SetOnline("phone-1", true)

	require.Equal(t, []string{"after"}, arrivals(t, s))
	require.Equal(t, []sink.EventKind{sink.Online, sink.DeletedMessages, sink.Arrived}, kinds(s)[104:])
	require.Contains(t, page(s, "en"), "Too many pushes waited and were dropped")
	require.False(t, s.Devices()[0].Dropped)
}

func TestExpiredMessagesDoNotCountAsWaiting(t *testing.T) {
	s, clock := newClockedSink(1)
	s.SetOnline("phone-1", false)
	for range 100 {
		message(s, "old", `"ttl":"60s"`)
	}
	clock.now = clock.now.Add(time.Minute)
	message(s, "new", ``)
	require.Equal(t, sink.Device{Token: "phone-1", Waiting: 1}, s.Devices()[0])
}

// reconnect gives the order in which twenty messages arrive, with the traffic
// of another phone in between.
func reconnect(t *testing.T, seed uint64, others int) []string {
	t.Helper()
	s, _ := newClockedSink(seed)
	s.SetOnline("phone-1", false)
	for i := range 20 {
		message(s, strconv.Itoa(i), ``)
		for range others {
			s.SetOnline("phone-2", false)
			sendTo(s, "phone-2")
			sendTo(s, "phone-2")
			s.SetOnline("phone-2", true)
		}
	}
	s.SetOnline("phone-1", true)
	return slices.DeleteFunc(arrivals(t, s), func(name string) bool { return name == "" })
}

func TestTheOrderOfArrivalFollowsFromTheSeedAlone(t *testing.T) {
	first := reconnect(t, 7, 0)
	sent := make([]string, 20)
	for i := range sent {
		sent[i] = strconv.Itoa(i)
	}
	require.ElementsMatch(t, sent, first)
	require.NotEqual(t, sent, first)
	require.Equal(t, first, reconnect(t, 7, 0))
	require.Equal(t, first, reconnect(t, 7, 1))
	require.NotEqual(t, first, reconnect(t, 8, 0))
}

func TestDevicesArePutAndListedAsJSON(t *testing.T) {
	s := newSink()
	res := call(s, http.MethodPut, "/_sink/devices/a%2Fb:c", `{"online":false}`)
	require.Equal(t, http.StatusOK, res.Code, res.Body)
	sendTo(s, "a/b:c")
	require.JSONEq(t, `{"devices":[{"token":"a/b:c","online":false,"arrived":0,"buzzes":0,"waiting":1,"dropped":false}]}`,
		call(s, http.MethodGet, "/_sink/devices", "").Body.String())
	require.JSONEq(t, `{"token":"a/b:c","online":true,"arrived":1,"buzzes":0,"waiting":0,"dropped":false}`,
		call(s, http.MethodPut, "/_sink/devices/a%2Fb:c", `{"online":true}`).Body.String())
}

func TestAnOddDeviceIsRefused(t *testing.T) {
	for _, body := range []string{``, `{}`, `{"online":null}`, `{"online":"yes"}`, `{"online":true,"colour":"red"}`, `[]`} {
		s := newSink()
		require.Equal(t, http.StatusBadRequest, call(s, http.MethodPut, "/_sink/devices/a", body).Code, body)
		require.Empty(t, s.Devices())
	}
}

func TestAStrangersPageCannotSwitchAPhone(t *testing.T) {
	s := newSink()
	res := call(s, http.MethodPut, "/_sink/devices/a", `{"online":false}`, "Origin", "https://stranger.example", "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, res.Code)
	require.Empty(t, s.Devices())
}

func TestClearingForgetsWhatWaitsAndWhatIsShownButNotWhoIsOffline(t *testing.T) {
	s := newSink()
	sendTo(s, "here")
	s.SetOnline("away", false)
	sendTo(s, "away")

	require.Equal(t, http.StatusNoContent, call(s, http.MethodDelete, "/_sink/messages", "").Code)

	require.ElementsMatch(t, []sink.Device{{Token: "away"}, {Token: "here", Online: true}}, s.Devices())
	s.SetOnline("away", true)
	require.Equal(t, []sink.EventKind{sink.Arrived, sink.Offline, sink.Missed, sink.Cleared, sink.Online}, kinds(s))
}

func TestOnlyTheDevicesLastHeardOfAreKept(t *testing.T) {
	s := newSink()
	for i := range 1_000 {
		sendTo(s, strconv.Itoa(i))
	}
	sendTo(s, "0") // heard of again
	sendTo(s, "one more")

	got := s.Devices()
	require.Len(t, got, 1_000)
	require.Equal(t, "one more", got[0].Token)
	require.Equal(t, sink.Device{Token: "0", Online: true, Arrived: 2}, got[1])
	require.Equal(t, "2", got[999].Token) // not 1
}

func TestTheDeviceLongestUnheardOfLosesItsMessagesWhenTooManyWait(t *testing.T) {
	s := newSink()
	for i := range 100 {
		token := "sim-offline-" + strconv.Itoa(i)
		for range 100 {
			sendTo(s, token)
		}
	}
	require.Equal(t, sink.Device{Token: "sim-offline-0", Waiting: 100}, s.Devices()[99])
	sendTo(s, "sim-offline-100")
	require.Equal(t, sink.Device{Token: "sim-offline-0", Dropped: true}, s.Devices()[100])
	require.Equal(t, sink.Device{Token: "sim-offline-1", Waiting: 100}, s.Devices()[99])
}
