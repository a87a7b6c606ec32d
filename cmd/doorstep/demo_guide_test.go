package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// watched is what the demo prints, readable while it runs.
type watched struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func TestTheRequestsOfTheGuidesWorkAgainstTheDemo(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("runs the guides' requests as a reader would, which needs %s", tool)
		}
	}
	// Given a demo whose story is told
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	told, ended := &watched{}, make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"demo", "--listen", "127.0.0.1:0"}, &streams{In: bytes.NewReader(nil), Out: told, Err: io.Discard})
	}()
	last := `"$BASE/v1/evidence?waybill=`
	require.Eventually(t, func() bool { return strings.Contains(told.String(), last) }, 30*time.Second, 50*time.Millisecond, "the story")

	// When a reader pastes its variables and then every request
	variables := strings.Join(regexp.MustCompile(`(?m)^  [A-Z]+=\S+`).FindAllString(told.String(), -1), "\n")
	script := variables + "\ncurl() { command curl --write-out '%{stderr}%{http_code}\n' \"$@\"; }\n" + requestsIn(t, "../../README.md") + requestsIn(t, "../../docs/api-guide.md")
	shell := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	shell.Dir = t.TempDir() // some requests keep their answer in a file
	var statuses bytes.Buffer
	shell.Stderr = &statuses
	answers, err := shell.Output()

	// Then each succeeds, but for the one that shows an error
	require.NoError(t, err, statuses.String())
	var refused []string
	for _, status := range strings.Fields(statuses.String()) {
		if !strings.HasPrefix(status, "2") {
			refused = append(refused, status)
		}
	}
	require.Equal(t, []string{"422"}, refused, string(answers))
	require.Greater(t, len(strings.Fields(statuses.String())), 15)

	stop()
	require.NoError(t, <-ended)
}

// requestsIn joins the shell blocks of a document that speak to a server.
func requestsIn(t *testing.T, name string) (script string) {
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(block[1], "$BASE") {
			script += block[1]
		}
	}
	require.NotEmpty(t, script)
	return script
}
