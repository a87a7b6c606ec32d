package apitest

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Event is one block of a stream of server-sent events.
type Event struct {
	Comment               bool // the block has nothing else
	Retry, ID, Type, Data string
}

// Events reads server-sent events as strictly as they are written here.
type Events struct{ lines *bufio.Reader }

// NewEvents reads events from the body of an answer.
func NewEvents(body io.Reader) *Events { return &Events{bufio.NewReader(body)} }

// Next waits for the next block. A stream that ends between two gives io.EOF.
func (e *Events) Next() (event Event, err error) {
	for n := 0; ; n++ {
		line, err := e.lines.ReadString('\n')
		if err == io.EOF && (line != "" || n > 0) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return Event{}, err
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			return event, nil
		}
		name, value, found := strings.Cut(line, ": ")
		field := map[string]*string{"retry": &event.Retry, "id": &event.ID, "event": &event.Type, "data": &event.Data}[name]
		switch {
		case line == ":":
			event.Comment = true
		case !found || field == nil || *field != "":
			return Event{}, fmt.Errorf("a line of a stream is %q", line)
		default:
			*field = value
		}
	}
}
