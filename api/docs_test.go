package api_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
)

func (a *app) get(target string, options ...option) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", target, nil)
	for _, o := range options {
		o(r)
	}
	w := httptest.NewRecorder()
	a.handler().ServeHTTP(w, r)
	return w
}

func TestTheContractIsServedAsItIs(t *testing.T) {
	w := newApp(t).send("GET", "/openapi.yaml", "")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, doorstep.OpenAPI, w.Body.Bytes())
}

func TestThePagesOfTheDocsAskNobodyElse(t *testing.T) {
	a := newApp(t)
	link := regexp.MustCompile(`(?:href|src|url)\s*[=:]\s*"([^"]*)"`)
	for _, page := range []string{"/docs", "/docs/start.js", "/docs/problems"} {
		w := a.get(page)
		require.Equal(t, http.StatusOK, w.Code)
		policy := w.Header().Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.NotRegexp(t, `https?:|\*|unsafe`, policy)
		require.NotRegexp(t, `//\S`, w.Body.String(), "no address of another host")
		for _, found := range link.FindAllStringSubmatch(w.Body.String(), -1) {
			if target := found[1]; !strings.HasPrefix(target, "data:") {
				require.Equal(t, http.StatusOK, a.get(target).Code, target)
			}
		}
	}
	require.Contains(t, a.get("/docs/start.js").Body.String(), "validatorUrl: null")
}

func TestTheDocsAreSentCompressedToWhoeverTakesIt(t *testing.T) {
	a := newApp(t)
	for _, file := range []string{"/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"} {
		small := a.get(file, header("Accept-Encoding", "gzip, br"))
		require.Equal(t, "gzip", small.Header().Get("Content-Encoding"))
		plain := a.get(file)
		require.Empty(t, plain.Header().Get("Content-Encoding"))
		require.Equal(t, small.Header().Get("Content-Type"), plain.Header().Get("Content-Type"))

		unpacked, err := gzip.NewReader(small.Body)
		require.NoError(t, err)
		content, err := io.ReadAll(unpacked)
		require.NoError(t, err)
		require.True(t, bytes.Equal(content, plain.Body.Bytes()), file)
	}
}

func TestEveryCodeOfTheHTTPLayerIsExplained(t *testing.T) {
	page := newApp(t).send("GET", "/docs/problems", "").Body.String()
	for _, code := range []string{"malformed_json", "not_found", "idempotency_key_reused", "unavailable"} {
		require.Contains(t, page, `<tr id="`+code+`">`)
	}
}
