package web_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func courierHome(t *testing.T) string {
	t.Helper()
	p := newPages(noForms{}, &desk{})
	p.cookies["doorstep_courier"] = courier
	page := p.ask(http.MethodGet, "/c/", "", "Accept-Language", "en")
	require.Equal(t, http.StatusOK, page.Code)
	return page.Body.String()
}

// What the page does not name, the phone does not keep for the next lift.
func TestTheCouriersPageNamesEveryModuleOfIts(t *testing.T) {
	home := courierHome(t)
	modules, err := filepath.Glob("assets/courier/*.js")
	require.NoError(t, err)
	require.NotEmpty(t, modules)
	for _, name := range modules {
		if filepath.Base(name) != "sw.js" {
			require.Contains(t, home, "courier/"+filepath.Base(name))
		}
	}
}

func TestTheCouriersScriptsHaveEveryTextThatTheyName(t *testing.T) {
	home := courierHome(t)
	modules, err := filepath.Glob("assets/courier/*.js")
	require.NoError(t, err)
	for _, name := range modules {
		script, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, key := range regexp.MustCompile(`text\("(courier\.\w+)"`).FindAllStringSubmatch(string(script), -1) {
			require.Contains(t, home, `"`+key[1]+`":`, name)
		}
		for _, symbol := range regexp.MustCompile(`icon\("(\w+)"`).FindAllStringSubmatch(string(script), -1) {
			require.Contains(t, home, `id="i-`+symbol[1]+`"`, name)
		}
	}
}

func TestTheServiceWorkerIsLookedAtAnewEachTime(t *testing.T) {
	worker := newPages(noForms{}, &desk{}).ask(http.MethodGet, "/c/sw.js", "")
	require.Equal(t, http.StatusOK, worker.Code)
	require.Equal(t, "no-cache", worker.Header().Get("Cache-Control"))
	require.True(t, strings.HasPrefix(worker.Header().Get("Content-Type"), "text/javascript"))
}
