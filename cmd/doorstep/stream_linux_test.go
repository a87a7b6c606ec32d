package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"doorstep"
	"doorstep/access"
	"doorstep/api"
	"doorstep/api/apitest"
	"doorstep/push"
	"doorstep/store"
)

// What a server with many streams is held to.
const (
	readersServed = 20 * time.Second // until the last healthy reader has its alert
	readersBase   = 200 << 20        // bytes that the server may take anyhow
	readersEach   = 100 << 10        // and for each stream
	stuckBacklog  = 1000             // alerts; more than the kernel buffers of a stuck connection hold
	dialsAtOnce   = 64
)

// readers is how many streams are opened; make soak-streams asks for more.
func readers(t *testing.T) int {
	t.Helper()
	given := os.Getenv("DOORSTEP_STREAM_READERS")
	if given == "" {
		return 300
	}
	n, err := strconv.Atoi(given)
	require.NoError(t, err, "DOORSTEP_STREAM_READERS")
	return n
}

// A tenth of the phones stops reading in the middle of a long backlog. All
// others get the next alert soon, the server takes little memory, and it ends in
// order with all those streams open.
func TestStuckPhonesDelayNobody(t *testing.T) {
	n := readers(t)
	stuck := n / 10
	healthy := n - stuck
	c := console{t: t, data: t.TempDir()}
	tokens := courierTokens(t, c, healthy, courierName)
	integrator := strings.TrimSpace(c.ok("token", "create", "--role", "integrator"))
	consumer := strings.TrimSpace(c.ok("token", "create", "--role", "consumer", "--consumer-phone", anne))
	behind := courierTokens(t, c, (stuck+push.MaxStreams-1)/push.MaxStreams, behindName) // who have all the phones they may
	p := start(t, build(t), c, "--log-level", "warn")
	p.must(http.MethodPut, consumer, "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_locker"}}, nil)
	p.dispatchTo(integrator, len(behind)*stuckBacklog, func(i int) string { return behindName(i / stuckBacklog) })
	before := p.memory()

	// Given phones that listen
	var (
		got     = make(chan time.Time, healthy)
		reading sync.WaitGroup
	)
	var opening errgroup.Group
	opening.SetLimit(dialsAtOnce)
	began := time.Now()
	for _, token := range tokens {
		opening.Go(func() error {
			conn, answer, err := p.listen(token, "")
			if err != nil {
				return err
			}
			events := apitest.NewEvents(answer.Body)
			for range 2 { // the time to return after, and a heartbeat: the stream stands
				if _, err := events.Next(); err != nil {
					return err
				}
			}
			reading.Go(func() {
				defer conn.Close()
				for {
					e, err := events.Next()
					if err != nil {
						return
					}
					if e.Type == "alert" {
						got <- time.Now()
					}
				}
			})
			return nil
		})
	}
	require.NoError(t, opening.Wait())
	t.Logf("%d streams stood after %v", healthy, time.Since(began).Round(time.Millisecond))
	withStreams := p.memory()

	// And phones that begin to read a backlog and get stuck
	blocked := make([]net.Conn, stuck)
	for i := range blocked {
		opening.Go(func() (err error) {
			blocked[i], _, err = p.listen(behind[i/push.MaxStreams], fmt.Sprintf("?install_id=phone-%d", i))
			return err
		})
	}
	require.NoError(t, opening.Wait())
	for _, conn := range blocked {
		defer conn.Close()
	}

	// When each of the healthy has a parcel
	began = time.Now()
	p.dispatchTo(integrator, healthy, courierName)
	answered := time.Now()
	last := time.Time{}
	deadline := time.After(processWait)
	for i := range healthy {
		select {
		case at := <-got:
			if at.After(last) {
				last = at
			}
		case <-deadline:
			require.Fail(t, "alerts are missing", "%d of %d phones have one", i, healthy)
		}
	}
	t.Logf("dispatches were answered after %v; the last of %d healthy phones had its alert %v after the first call, %v after the last answer",
		answered.Sub(began).Round(time.Millisecond), healthy, last.Sub(began).Round(time.Millisecond), last.Sub(answered).Round(time.Millisecond))
	require.Less(t, last.Sub(began), readersServed)

	after := p.memory()
	t.Logf("resident memory: %d MiB without streams, %d MiB with %d, %d MiB at the end: %d KiB a stream",
		before>>20, withStreams>>20, healthy, after>>20, (withStreams-before)/healthy>>10)
	require.Less(t, after, readersBase+n*readersEach)

	// Then the server ends in order, stuck streams or not
	began = time.Now()
	require.Zero(t, p.stop(), p.log)
	t.Logf("the server ended within %v", time.Since(began).Round(time.Millisecond))
	reading.Wait()
	require.NotContains(t, p.log.String(), "ERROR")
	for _, conn := range blocked {
		rest, _ := io.ReadAll(conn) // to where it was cut off
		require.Less(t, strings.Count(string(rest), "event: alert"), stuckBacklog, "it was not stuck")
	}
}

func courierName(i int) string { return fmt.Sprintf("c-%05d", i) }

// behindName is a courier whose phones get stuck.
func behindName(i int) string { return fmt.Sprintf("behind-%d", i) }

// courierTokens makes tokens for n couriers, before a server runs.
func courierTokens(t *testing.T, c console, n int, name func(int) string) []string {
	t.Helper()
	tokens := make([]string, n)
	data := database{Data: c.data, TimeZone: "Asia/Shanghai"}
	err := data.with(t.Context(), func(db *store.DB) error {
		office := &access.Office{Store: db, Now: now, NewID: doorstep.MakeID, Random: rand.Reader}
		var making errgroup.Group
		making.SetLimit(dialsAtOnce)
		for i := range tokens {
			making.Go(func() (err error) {
				tokens[i], err = office.Create(context.Background(), access.Request{
					Role: doorstep.RoleCourier, Company: "default", CourierID: name(i), TTL: access.DefaultTTL,
				})
				return err
			})
		}
		return making.Wait()
	})
	require.NoError(t, err)
	return tokens
}

// dispatchTo sends out n parcels of somebody with wishes.
func (p *process) dispatchTo(integrator string, n int, courier func(i int) string) {
	p.t.Helper()
	const batch = 1000
	for from := 0; from < n; from += batch {
		var body api.DispatchBatch
		for i := from; i < min(from+batch, n); i++ {
			body.Dispatches = append(body.Dispatches, parcel(fmt.Sprintf("SF-%s-%d", courier(i), i), courier(i), anne))
		}
		var got api.DispatchResults
		p.must(http.MethodPost, integrator, "/v1/dispatches", body, &got)
		require.Equal(p.t, len(body.Dispatches), got.Accepted)
	}
}

// listen opens a stream and reads the head of the answer. Its connection is
// that of a phone on a bad line: small segments and a small window.
func (p *process) listen(token, query string) (net.Conn, *http.Response, error) {
	narrow := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		failed := raw.Control(func(fd uintptr) {
			err = errors.Join(
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1000),
				syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 8<<10),
			)
		})
		return errors.Join(failed, err)
	}}
	conn, err := narrow.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
	if err != nil {
		return nil, nil, err
	}
	_, err = fmt.Fprintf(conn, "GET /v1/me/alerts/stream%s HTTP/1.1\r\nHost: doorstep\r\nAuthorization: Bearer %s\r\n\r\n", query, token)
	if err != nil {
		return conn, nil, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("a stream answered %s", answer.Status)
	}
	return conn, answer, err
}

// memory is what the process has in memory, in bytes.
func (p *process) memory() int {
	p.t.Helper()
	text, err := os.ReadFile(p.proc("statm"))
	require.NoError(p.t, err)
	var size, resident int
	_, err = fmt.Sscan(string(text), &size, &resident)
	require.NoError(p.t, err)
	return resident * os.Getpagesize()
}

func (p *process) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), name)
}
