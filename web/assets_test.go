package web_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOtherPeoplesCodeIsWhatItsAuthorsPublished(t *testing.T) {
	list, err := os.ReadFile("vendor/SHA256SUMS")
	require.NoError(t, err)
	listed := map[string]bool{"README.md": true, "SHA256SUMS": true}
	for line := range strings.Lines(string(list)) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		require.True(t, ok, line)
		content, err := os.ReadFile(filepath.Join("vendor", name))
		require.NoError(t, err)
		got := sha256.Sum256(content)
		require.Equal(t, sum, hex.EncodeToString(got[:]), name)
		listed[name] = true
	}
	files, err := os.ReadDir("vendor")
	require.NoError(t, err)
	for _, f := range files {
		require.True(t, listed[f.Name()], f.Name())
	}
}

func TestAssetsAreKeptForEverUnderTheirVersion(t *testing.T) {
	p := newPages(noForms{}, &desk{})
	style := regexp.MustCompile(`/assets/[0-9a-f]{16}/house\.css`).FindString(p.ask(http.MethodGet, "/c/", "").Body.String())
	require.NotEmpty(t, style)

	packed := p.ask(http.MethodGet, style, "", "Accept-Encoding", "gzip")
	require.Equal(t, "public, max-age=31536000, immutable", packed.Header().Get("Cache-Control"))
	require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
	unpacked, err := gzip.NewReader(packed.Body)
	require.NoError(t, err)
	content, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	require.Equal(t, p.ask(http.MethodGet, style, "").Body.String(), string(content))

	etag := packed.Header().Get("ETag")
	require.NotEmpty(t, etag)
	require.Equal(t, http.StatusNotModified, p.ask(http.MethodGet, style, "", "If-None-Match", etag).Code)

	other := p.ask(http.MethodGet, "/assets/0000000000000000/house.css", "")
	require.Equal(t, http.StatusOK, other.Code, "a page of another version still has its looks")
	require.Equal(t, "no-cache", other.Header().Get("Cache-Control"))
}

func TestLicencesAndListsAreNotServed(t *testing.T) {
	for _, name := range []string{"vendor/htmx.LICENSE", "vendor/SHA256SUMS", "../web.go", "nothing.js"} {
		require.NotEqual(t, http.StatusOK, newPages(noForms{}, &desk{}).ask(http.MethodGet, "/assets/0/"+name, "").Code, name)
	}
}

// Scripts, styles and handlers written into a page would not run under the
// policy: they would only look as if they did.
func TestNoTemplateHoldsAScriptOrAStyle(t *testing.T) {
	templates, err := filepath.Glob("templates/*.html")
	require.NoError(t, err)
	require.NotEmpty(t, templates)
	for _, name := range templates {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NotRegexp(t, `<style|\sstyle=|\son[a-z]+=|hx-on|javascript:`, string(text), name)
		for _, script := range regexp.MustCompile(`<script[^>]*>`).FindAllString(string(text), -1) {
			require.Regexp(t, `src="|type="application/json"`, script, name)
		}
	}
}
