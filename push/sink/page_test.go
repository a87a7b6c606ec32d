package sink_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/prefs"
	"doorstep/push/sink"
)

func digest(token, alerts string) string {
	return fmt.Sprintf(`{"message":{"token":%q,"data":{"alerts":%q,"more":"3","kind":"digest"},"android":{"priority":"high",
		"notification":{"title_loc_key":"push_digest_title","body_loc_key":"push_digest_body","body_loc_args":["2"]}}}}`, token, alerts)
}

func page(s *sink.Sink, language string) string {
	return call(s, http.MethodGet, "/", "", "Accept-Language", language).Body.String()
}

func TestThePageSpeaksTheReadersLanguage(t *testing.T) {
	s := newSink()
	send(s, digest("phone-1", `[{"id":"a1","w":"6Y2X","t":["no_locker","call_first"]}]`))

	for language, want := range map[string][]string{
		"en-GB,en;q=0.9": {`lang="en"`, "Before you knock", "Parcels with instructions: 2", "no locker · call first", "3 more in the app"},
		"zh-CN,zh;q=0.9": {`lang="zh-CN"`, "派件前请看", "2 件包裹有收件人要求", "不放快递柜 · 先打电话", "3 件在应用内查看"},
		"":               {`lang="zh-CN"`},
		"fr":             {`lang="zh-CN"`},
	} {
		got := page(s, language)
		for _, text := range append(want, "…6Y2X", "phone-1") {
			require.Contains(t, got, text, language)
		}
	}
	require.Contains(t, page(s, "en"), `class="loud"`)
	require.Equal(t, page(s, "en"), call(s, http.MethodGet, "/_sink/", "", "Accept-Language", "en").Body.String())
}

func TestThePageHasWordsForEveryTag(t *testing.T) {
	for _, tag := range prefs.Tags {
		s := newSink()
		send(s, digest("phone-1", fmt.Sprintf(`[{"id":"a1","w":"6Y2X","t":[%q]}]`, tag)))
		require.NotContains(t, page(s, "en"), string(tag))
		require.NotContains(t, page(s, "zh-CN"), string(tag))
	}
}

func TestThePageDrawsOnePhoneAToken(t *testing.T) {
	s := newSink()
	for i := range 9 {
		send(s, banner("", "title "+strconv.Itoa(i)))
	}
	send(s, digest("phone-2", `[]`))
	sendTo(s, "sim-unregistered-1") // no phone
	got := page(s, "en")
	require.Equal(t, 2, strings.Count(got, "<section"))
	require.Equal(t, 7, strings.Count(got, "<article")) // six of the nine, and one
	require.Less(t, strings.Index(got, "phone-2"), strings.Index(got, "phone-1"))
	require.Contains(t, got, "title 8")
	require.NotContains(t, got, "title 2")
}

func TestThePageDrawsSoManyPhonesAndLines(t *testing.T) {
	s := newSink()
	for i := range 25 {
		send(s, digest("phone-"+strconv.Itoa(i), `[]`))
	}
	require.Equal(t, 24, strings.Count(page(s, "en"), "<section"))

	s = newSink()
	send(s, digest("phone-1", "["+strings.Repeat(`{"id":"a","w":"6Y2X","t":[]},`, 7)+`{"id":"b","w":"6Y2X","t":[]}]`))
	got := page(s, "en")
	require.Equal(t, 6, strings.Count(got, "…6Y2X"))
	require.Contains(t, got, "5 more in the app") // two, and the three that did not fit
}

func TestTheChosenLanguageWinsOverTheBrowsers(t *testing.T) {
	s := newSink()
	send(s, digest("phone-1", `[]`))
	for _, path := range []string{"/", "/_sink/", "/_sink/phones"} {
		got := call(s, http.MethodGet, path+"?lang=en", "", "Accept-Language", "zh-CN")
		require.Contains(t, got.Body.String(), "Before you knock", path)
		require.Equal(t, "en", got.Header().Get("Content-Language"))
	}
}

func TestThePageLoadsNothingFromElsewhere(t *testing.T) {
	s := newSink()
	res := call(s, http.MethodGet, "/", "")
	require.Contains(t, res.Header().Get("Content-Security-Policy"), "default-src 'none'")
	require.NotContains(t, res.Body.String(), "style=")
	for path, contentType := range map[string]string{
		"/_sink/page.css": "text/css; charset=utf-8", "/_sink/page.js": "text/javascript; charset=utf-8", "/_sink/icon.svg": "image/svg+xml",
	} {
		require.Contains(t, res.Body.String(), `"`+path+`"`)
		got := call(s, http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, got.Code, path)
		require.Equal(t, contentType, got.Header().Get("Content-Type"))
	}
}

func TestThePageListensToEveryKindOfEvent(t *testing.T) {
	script := call(newSink(), http.MethodGet, "/_sink/page.js", "").Body.String()
	for _, kind := range []sink.EventKind{
		sink.Arrived, sink.Missed, sink.DeletedMessages, sink.Online, sink.Offline, sink.Acknowledged, sink.Cleared,
	} {
		require.Contains(t, script, `"`+string(kind)+`"`)
	}
}

func TestThePageShowsStrangersTextAsText(t *testing.T) {
	s := newSink()
	send(s, `{"message":{"token":"<script>","notification":{"title":"<u>","body":"hello"},"data":{"alerts":"nonsense"}}}`)
	got := page(s, "en")
	require.NotContains(t, got, "<script>")
	require.NotContains(t, got, "<u>")
	require.Contains(t, got, "hello")
}

func TestAnEmptyPageSaysSo(t *testing.T) {
	require.Contains(t, page(newSink(), "en"), "No push has arrived yet.")
}
