package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// How a stream behaves.
const (
	heartbeat = 15 * time.Second // keeps proxies from closing a silent stream
	patience  = 10 * time.Second // for a reader that takes nothing
	batch     = 100              // events written at once
)

// stream is GET /_sink/events: server-sent events, from now on or after the one
// that after or Last-Event-ID names. It ends for a reader that stops reading or
// falls so far behind that the sink has forgotten what comes next for it; an
// EventSource then comes back by itself.
func (s *Sink) stream(w http.ResponseWriter, r *http.Request) {
	place, ok := s.place(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	reader := http.NewResponseController(w)
	defer func() { _ = reader.SetWriteDeadline(time.Time{}) }() // the connection may go on
	write := func(text []byte) bool {
		_ = reader.SetWriteDeadline(time.Now().Add(patience)) // what cannot be hurried is waited for
		_, err := w.Write(text)
		return err == nil && reader.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	if !write([]byte("retry: 1000\n\n")) {
		return
	}
	for {
		events, news, ok := s.eventsAfter(place, batch)
		if !ok {
			return
		}
		if len(events) > 0 {
			if !write(frames(events)) {
				return
			}
			place = events[len(events)-1].Number
			continue
		}
		select {
		case <-r.Context().Done():
			return
		case <-news:
		case <-beat.C:
			if !write([]byte(": nothing new\n\n")) {
				return
			}
		}
	}
}

// place is the number of the last event that the reader has.
func (s *Sink) place(w http.ResponseWriter, r *http.Request) (number int, ok bool) {
	s.mu.Lock()
	first, last := s.events.forgotten(), s.events.last
	s.mu.Unlock()
	text := r.Header.Get("Last-Event-ID") // fresher than the address, which a browser repeats
	if text == "" {
		text = r.FormValue("after")
	}
	if text == "" {
		return last, true
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < 0 {
		fail(w, http.StatusBadRequest, "after and Last-Event-ID must be an event's number")
		return 0, false
	}
	return min(max(number, first), last), true
}

func frames(events []Event) []byte {
	var text bytes.Buffer
	for _, e := range events {
		data, err := json.Marshal(e) // on one line, as the format wants
		if err != nil {              // strings, numbers, and JSON that was read before
			panic("sink: " + err.Error())
		}
		fmt.Fprintf(&text, "id: %d\nevent: %s\ndata: %s\n\n", e.Number, e.Kind, data)
	}
	return text.Bytes()
}
