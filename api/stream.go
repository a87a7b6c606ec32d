package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/push"
)

// Followed hands over a courier's alerts as they come: push.Inbox.Follow.
type Followed func(ctx context.Context, a doorstep.Actor, device string, after int64, deliver func([]push.Alert) error) error

const (
	// streamPatience is how long a phone may take to read what it is sent. A
	// slower one is cut off, and resumes where it was. What the kernel buffers
	// counts as read, so that only a long backlog is ever waited for. A server
	// that stops waits for it, too, and has 10 s.
	streamPatience = 5 * time.Second

	// Phones that lost their stream return after leastRetry to mostRetry, so
	// that a restart is not followed by all of them at once.
	leastRetry = 2 * time.Second
	mostRetry  = 10 * time.Second
)

// errGone is a phone that hung up.
var errGone = errors.New("the phone has gone")

// streams serves inboxes as they grow.
type streams struct {
	follow  Followed
	dropped func(push.Drop)
	door    door
	draw    func() float64
}

// serve implements GET /v1/me/alerts/stream, by hand: generated handlers cannot
// flush. Nothing is written before the first alerts are read, so that what goes
// wrong until then is answered as anywhere else.
func (s streams) serve(c echo.Context) error {
	r := c.Request()
	after, err := resumeAt(r)
	if err != nil {
		return err
	}
	w := eventWriter{
		res: c.Response(), control: http.NewResponseController(c.Response().Writer),
		retry: leastRetry + time.Duration(s.draw()*float64(mostRetry-leastRetry)),
	}
	token, _ := s.door.secret(r)
	err = s.follow(r.Context(), actor(r.Context()), c.QueryParam("install_id"), after, func(list []push.Alert) error {
		if w.res.Committed { // the token has been good a while ago
			if err := s.stillGood(r.Context(), token); err != nil {
				return err
			}
		}
		return w.alerts(list)
	})
	var why push.Drop
	dropped := errors.As(err, &why)
	if dropped {
		s.dropped(why)
	}
	if (dropped || errors.Is(err, errGone)) && w.res.Committed {
		return nil // else nothing could be written at all, which is a fault
	}
	return err
}

// stillGood says of a token that was good whether it is.
func (s streams) stillGood(ctx context.Context, token string) error {
	_, err := s.door.tokens.Authenticate(ctx, token)
	switch {
	case errors.Is(err, ErrUnauthorized):
		return fmt.Errorf("%w: %w", push.TokenEnded, err)
	case err != nil:
		return fmt.Errorf("authenticate: %w", err)
	}
	return nil
}

// resumeAt is the place in the inbox that the phone has already: as a client
// says it by itself when it reconnects, else as asked for.
func resumeAt(r *http.Request) (after int64, err error) {
	const header = "Last-Event-ID"
	pointer, text := "/"+header, r.Header.Get(header)
	if query := r.URL.Query(); text == "" && query.Has("after") {
		pointer, text = "/after", query.Get("after")
	} else if text == "" {
		return 0, nil
	}
	var bad doorstep.Checks
	if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
		bad.Add(pointer, "invalid_after", "must be the seq of an alert, or 0")
	}
	return after, bad.Err()
}

// eventWriter writes server-sent events to one phone:
// https://html.spec.whatwg.org/multipage/server-sent-events.html
type eventWriter struct {
	res     *echo.Response
	control *http.ResponseController // of what is below res, whose Flush hides errors
	retry   time.Duration            // after which the phone reconnects
}

// alerts writes an event for each alert, or a comment where there is none.
func (w *eventWriter) alerts(list []push.Alert) error {
	var events []byte
	if !w.res.Committed {
		header := w.res.Header()
		header.Set(echo.HeaderContentType, "text/event-stream")
		header.Set("X-Accel-Buffering", "no") // nginx must not gather events
		events = fmt.Appendf(events, "retry: %d\n\n", w.retry.Milliseconds())
	}
	for _, a := range list {
		data, err := json.Marshal(alertBody(a))
		if err != nil {
			return fmt.Errorf("alert: %w", err)
		}
		events = fmt.Appendf(events, "id: %d\nevent: alert\ndata: %s\n\n", a.Seq, data)
	}
	if len(list) == 0 {
		events = append(events, ":\n\n"...)
	}
	return w.write(events)
}

func (w *eventWriter) write(events []byte) error {
	err := w.control.SetWriteDeadline(time.Now().Add(streamPatience)) // the connection's clock is the real one
	if err == nil {
		_, err = w.res.Write(events)
	}
	if err == nil {
		err = w.control.Flush()
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %w", push.SlowReader, err)
	case err != nil:
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}
