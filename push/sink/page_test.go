package sink_test

import (
	"fmt"
	"net/http"
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
	for range 9 {
		sendTo(s, "phone-1")
	}
	sendTo(s, "phone-2")
	got := page(s, "en")
	require.Equal(t, 2, strings.Count(got, `class="phone"`))
	require.Equal(t, 7, strings.Count(got, "<article")) // six of the nine, and one
	require.Less(t, strings.Index(got, "phone-2"), strings.Index(got, "phone-1"))
}

func TestThePageShowsStrangersTextAsText(t *testing.T) {
	s := newSink()
	send(s, `{"message":{"token":"<script>","notification":{"title":"<b>","body":"hello"},"data":{"alerts":"nonsense"}}}`)
	got := page(s, "en")
	require.NotContains(t, got, "<script>")
	require.NotContains(t, got, "<b>")
	require.Contains(t, got, "hello")
}

func TestAnEmptyPageSaysSo(t *testing.T) {
	require.Contains(t, page(newSink(), "en"), "No push has arrived yet.")
}
