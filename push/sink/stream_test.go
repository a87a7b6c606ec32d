package sink_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push/sink"
)

// frame is one server-sent event.
type frame struct{ id, event, data string }

// frames reads n events of a stream.
func frames(t *testing.T, r *bufio.Reader, n int) []frame {
	t.Helper()
	var list []frame
	var f frame
	for len(list) < n {
		text, err := r.ReadString('\n')
		require.NoError(t, err)
		name, value, _ := strings.Cut(strings.TrimSuffix(text, "\n"), ": ")
		switch {
		case name == "id":
			f.id = value
		case name == "event":
			f.event = value
		case name == "data":
			f.data = value
		case text == "\n" && f != frame{}:
			list = append(list, f)
			f = frame{}
		}
	}
	return list
}

// open starts reading a stream and gives it once its first line is there.
func open(t *testing.T, base, query string, headers ...string) *bufio.Reader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/_sink/events"+query, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		_ = res.Body.Close()
	})
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	r := bufio.NewReader(res.Body)
	first, err := r.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "retry: 1000\n", first)
	return r
}

func serve(t *testing.T, s *sink.Sink) string {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

func TestAStreamTellsWhatHappensFromNowOn(t *testing.T) {
	s := newSink()
	sendTo(s, "before")
	stream := open(t, serve(t, s), "")

	sendTo(s, "phone-1")
	s.SetOnline("phone-1", false)

	got := frames(t, stream, 2)
	require.Equal(t, []string{"2", "3"}, []string{got[0].id, got[1].id})
	require.Equal(t, []string{"arrived", "offline"}, []string{got[0].event, got[1].event})
	want, err := json.Marshal(s.Events()[1])
	require.NoError(t, err)
	require.JSONEq(t, string(want), got[0].data)
	require.Contains(t, got[0].data, `"message":{"token":"phone-1"}`)
}

func TestAStreamGoesOnWhereItsReaderWas(t *testing.T) {
	s := newSink()
	for i := range 5 {
		sendTo(s, strconv.Itoa(i))
	}
	base := serve(t, s)
	for _, c := range []struct {
		query   string
		headers []string
		first   string
	}{
		{"?after=0", nil, "1"},
		{"?after=3", nil, "4"},
		{"", []string{"Last-Event-ID", "4"}, "5"},
		{"?after=1", []string{"Last-Event-ID", "4"}, "5"}, // a browser repeats its address
	} {
		require.Equal(t, c.first, frames(t, open(t, base, c.query, c.headers...), 1)[0].id, c)
	}
	ahead := open(t, base, "?after=99") // of a sink that has ended
	sendTo(s, "new")
	require.Equal(t, "6", frames(t, ahead, 1)[0].id)
}

func TestAnOddPlaceInTheStreamIsRefused(t *testing.T) {
	for _, query := range []string{"?after=x", "?after=-1"} {
		require.Equal(t, http.StatusBadRequest, call(newSink(), http.MethodGet, "/_sink/events"+query, "").Code)
	}
	require.Equal(t, http.StatusBadRequest, call(newSink(), http.MethodGet, "/_sink/events", "", "Last-Event-ID", "x").Code)
}

// oneConn is a listener that gives one connection.
type oneConn struct {
	conns chan net.Conn
	once  sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	conn, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.conns) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "sink", Net: "unix"} }

// dial serves s over a pipe, which holds nothing that is not read, and asks
// for the stream.
func dial(t *testing.T, s *sink.Sink) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	listener := &oneConn{conns: make(chan net.Conn, 1)}
	listener.conns <- theirs
	server := &http.Server{Handler: s}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		_ = ours.Close()
		_ = server.Close()
	})
	_, err := io.WriteString(ours, "GET /_sink/events HTTP/1.0\r\n\r\n")
	require.NoError(t, err)
	return ours
}

func TestASilentStreamSendsAHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := bufio.NewReader(dial(t, newSink()))
		began := time.Now()
		for beats := 0; beats < 3; {
			text, err := conn.ReadString('\n')
			require.NoError(t, err)
			if strings.HasPrefix(text, ":") {
				beats++
			}
		}
		require.Equal(t, 45*time.Second, time.Since(began))
	})
}

func TestAReaderThatTakesNothingIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dial(t, newSink())
		time.Sleep(10*time.Second + 1) // of the bubble's clock
		synctest.Wait()
		_, err := conn.Write([]byte("x"))
		require.ErrorIs(t, err, io.ErrClosedPipe)
	})
}

// slowWriter blocks its second write until it may go on.
type slowWriter struct {
	*httptest.ResponseRecorder
	writes        int
	blocked, goOn chan struct{}
}

func (w *slowWriter) Write(text []byte) (int, error) {
	w.writes++
	if w.writes == 2 {
		close(w.blocked)
		<-w.goOn
	}
	return w.ResponseRecorder.Write(text)
}

func TestAReaderThatFallsTooFarBehindIsClosed(t *testing.T) {
	s := newSink()
	w := &slowWriter{httptest.NewRecorder(), 0, make(chan struct{}), make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/_sink/events?after=0", nil))
		close(ended)
	}()
	sendTo(s, "phone-1")
	<-w.blocked
	for range 10_001 {
		sendTo(s, "phone-1")
	}
	close(w.goOn)
	<-ended
	require.Equal(t, 1, strings.Count(w.Body.String(), "id: "))
}

func TestTheSinkMayBeUsedFromManySides(t *testing.T) {
	s := newSink()
	stream := open(t, serve(t, s), "?after=0")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			token := "phone-" + strconv.Itoa(i%2)
			for n := range 50 {
				sendTo(s, token)
				s.SetOnline(token, n%2 == 0)
				page(s, "en")
				s.Devices()
				if n%10 == 0 {
					_ = s.SetRules(sink.Rule{P: 0.5, Action: sink.Internal})
					call(s, http.MethodDelete, "/_sink/messages", "")
				}
			}
		})
	}
	all.Wait()
	last := s.Events()[len(s.Events())-1].Number
	got := frames(t, stream, last)
	for i, f := range got {
		require.Equal(t, strconv.Itoa(i+1), f.id)
	}
}
