package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
)

// processWait bounds every wait for a process. It is far longer than any should
// take, so that a busy machine fails no test.
const processWait = time.Minute

// processTick is how often a condition in another process is looked at.
const processTick = 20 * time.Millisecond

// process is a real server that runs as a child.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	base  string
	log   *journal
	ended chan error
}

// build compiles the program as it is shipped.
func build(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "doorstep")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	return program
}

// launch starts a server on any free port and does not wait for it.
func launch(t *testing.T, program string, c console, args ...string) (p *process, out io.Reader) {
	t.Helper()
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--data", c.data}, args...)
	if c.url != "" {
		args = append(args, "--db", c.url)
	}
	p = &process{t: t, cmd: exec.Command(program, args...), log: &journal{}, ended: make(chan error, 1)}
	for _, variable := range os.Environ() { // a developer's own settings are not the test's
		if !strings.HasPrefix(variable, "DOORSTEP_") && !strings.HasPrefix(variable, "GOOGLE_APPLICATION_CREDENTIALS=") {
			p.cmd.Env = append(p.cmd.Env, variable)
		}
	}
	p.cmd.Stderr = p.log
	read, write, err := os.Pipe()
	require.NoError(t, err)
	p.cmd.Stdout = write
	require.NoError(t, p.cmd.Start())
	require.NoError(t, write.Close())
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // mostly it has ended long ago
		_ = read.Close()
	})
	return p, read
}

// start starts a server and waits until it serves.
func start(t *testing.T, program string, c console, args ...string) *process {
	t.Helper()
	p, out := launch(t, program, c, args...)
	first := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		first <- line
	}()
	select {
	case line := <-first:
		_, err := fmt.Sscanf(line, "doorstep on %s", &p.base)
		require.NoError(t, err, "%q %s", line, p.log)
	case <-time.After(processWait):
		require.Fail(t, "the server does not start", p.log)
	}
	return p
}

// kill ends the process as a power cut would, and waits until it is gone.
func (p *process) kill() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Kill())
	p.wait()
}

// stop asks the process to end, and gives its exit code.
func (p *process) stop() int {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	p.wait()
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) wait() {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(processWait):
		require.Fail(p.t, "the server does not end", p.log)
	}
}

// call makes one request, with a picture or a value to encode. An error means
// that there was no whole answer.
func (p *process) call(method, token, path string, in any) (status int, body []byte, err error) {
	kind := "image/jpeg"
	text, ok := in.(picture)
	if !ok {
		kind = "application/json"
		if text, err = json.Marshal(in); err != nil {
			return 0, nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), processWait)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", kind)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// must makes a request that succeeds, and decodes the answer into out.
func (p *process) must(method, token, path string, in, out any) {
	p.t.Helper()
	status, body, err := p.call(method, token, path, in)
	require.NoError(p.t, err)
	require.Less(p.t, status, http.StatusMultipleChoices, "%s %s: %s", method, path, body)
	if out != nil {
		require.NoError(p.t, json.Unmarshal(body, out))
	}
}

// inbox is a courier's, whole.
func (p *process) inbox(token string) (list []api.Alert) {
	p.t.Helper()
	for after := int64(0); ; {
		var page api.AlertPage
		p.must(http.MethodGet, token, fmt.Sprintf("/v1/me/alerts?limit=200&after=%d", after), nil, &page)
		if len(page.Items) == 0 {
			return list
		}
		list, after = append(list, page.Items...), page.NextAfter
	}
}

func TestAServerAsAProcess(t *testing.T) {
	program := build(t)
	t.Run("IsTheOnlyOneOnItsFolder", func(t *testing.T) {
		c := console{t: t, data: t.TempDir()}
		first := start(t, program, c)
		second, _ := launch(t, program, c)
		second.wait()
		require.Equal(t, 1, second.cmd.ProcessState.ExitCode())
		require.Contains(t, second.log.String(), "another server runs")
		status, _, err := first.call(http.MethodGet, "", "/readyz", nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
		first.kill()
		start(t, program, c) // the lock went with its holder
	})
	t.Run("KnowsANewTokenAtOnceAndForgetsARevokedOneWithinASecond", func(t *testing.T) {
		onConsoles(t, func(t *testing.T, c console) {
			p := start(t, program, c)
			token := strings.TrimSpace(c.ok("token", "create", "--role", "courier", "--courier", "li"))
			p.must(http.MethodGet, token, "/v1/me/alerts", nil, nil)
			c.ok("token", "revoke", idOf(t, c.ok("token", "list"), "courier"))
			revoked := time.Now()
			require.Eventually(t, func() bool {
				status, _, err := p.call(http.MethodGet, token, "/v1/me/alerts", nil)
				return err == nil && status == http.StatusUnauthorized
			}, processWait, processTick)
			require.Less(t, time.Since(revoked), time.Second)
		})
	})
	t.Run("EndsInOrderWhenItIsTold", func(t *testing.T) {
		onConsoles(t, func(t *testing.T, c console) {
			p := start(t, program, c)
			require.Zero(t, p.stop(), p.log)
			require.NotContains(t, p.log.String(), "ERROR")
			require.Zero(t, start(t, program, c).stop())
		})
	})
	t.Run("RefusesHalfASetting", func(t *testing.T) {
		c := console{t: t, data: t.TempDir()}
		p, _ := launch(t, program, c, "--fcm-project", "demo")
		p.wait()
		require.Equal(t, 1, p.cmd.ProcessState.ExitCode())
		require.Contains(t, p.log.String(), "FCM settings")
		p, _ = launch(t, program, c, "--blobs", "s3://bucket?endpoint=nowhere")
		p.wait()
		require.Equal(t, 1, p.cmd.ProcessState.ExitCode())
		require.Contains(t, p.log.String(), "--blobs: endpoint")
	})
	t.Run("LosesNothingItAcknowledgedWhenItIsKilled", func(t *testing.T) {
		onConsoles(t, func(t *testing.T, c console) { loseNothing(t, program, c) })
	})
	t.Run("LosesNoPhotoWhenItIsKilled", func(t *testing.T) {
		onConsoles(t, func(t *testing.T, c console) { keepPhotos(t, program, c) })
	})
	t.Run("LosesNoPushWhenItIsKilledWhileFCMFails", func(t *testing.T) {
		onConsoles(t, func(t *testing.T, c console) { outliveFaults(t, program, c) })
	})
}
