package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/api/replay"
)

const (
	idempotencyKey      = "Idempotency-Key"
	idempotencyReplayed = "Idempotency-Replayed"

	maxIdempotencyKey = 255 // characters

	// keepAnswer is how long keeping an answer may take once its caller has
	// hung up.
	keepAnswer = 5 * time.Second
)

// idempotent answers a request that repeats an earlier one under the same key
// with the earlier answer.
type idempotent struct {
	replays replay.Store
	now     func() time.Time
	newID   func() string
	log     *slog.Logger
}

func (i *idempotent) operation(id string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			keys := c.Request().Header.Values(idempotencyKey)
			if c.Request().Method != http.MethodPost || len(keys) == 0 {
				return next(c)
			}
			if !sound(keys) {
				return &doorstep.InvalidError{Fields: []doorstep.FieldError{{
					Pointer: "/" + idempotencyKey, Code: "invalid_idempotency_key",
					Detail: "must be 1 to 255 printable ASCII characters",
				}}}
			}
			a := actor(c.Request().Context())
			return i.run(c, next, replay.Attempt{
				Scope:       replay.Scope{TokenID: a.TokenID, Operation: id, Key: keys[0]},
				Consumer:    a.Consumer,
				Fingerprint: fingerprint(c),
				Claim:       i.newID(),
				At:          i.now(),
			})
		}
	}
}

func (i *idempotent) run(c echo.Context, next echo.HandlerFunc, a replay.Attempt) error {
	answer, err := i.replays.Begin(c.Request().Context(), a)
	switch {
	case errors.Is(err, replay.ErrReused):
		return &refusal{
			status: http.StatusUnprocessableEntity, code: "idempotency_key_reused",
			detail: "another request was made under this key", cause: err,
		}
	case err != nil:
		return fmt.Errorf("claim idempotency key: %w", err)
	case answer != nil:
		c.Response().Header().Set(idempotencyReplayed, "true")
		return send(c.Response(), *answer)
	}

	sent, kept := c.Response(), false
	defer func() { // also when next panics
		c.SetResponse(sent)
		if !kept {
			i.release(c.Request().Context(), a)
		}
	}()
	recording := recorder{header: sent.Header(), status: http.StatusOK}
	c.SetResponse(echo.NewResponse(&recording, c.Echo()))
	if err := next(c); err != nil {
		c.Error(err)
	}
	answer = recording.answer()
	if answer.Status < http.StatusInternalServerError {
		kept = i.keep(c.Request().Context(), a, *answer)
	}
	// Kept before sent: an answer that a caller has seen will be replayed.
	return send(sent, *answer)
}

// keep and release outlive the caller: what was done is done, whether or not
// somebody still listens. Their own failure changes nothing for the caller; the
// key comes free by its lease.
func (i *idempotent) keep(ctx context.Context, a replay.Attempt, answer replay.Answer) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepAnswer)
	defer cancel()
	if err := i.replays.Finish(ctx, a, answer); err != nil {
		i.log.ErrorContext(ctx, "keep answer for replay", "operation", a.Operation, "error", err)
		return false
	}
	return true
}

func (i *idempotent) release(ctx context.Context, a replay.Attempt) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepAnswer)
	defer cancel()
	if err := i.replays.Abandon(ctx, a); err != nil {
		i.log.ErrorContext(ctx, "release idempotency key", "operation", a.Operation, "error", err)
	}
}

// fingerprint tells one request of an operation from another.
func fingerprint(c echo.Context) [32]byte {
	body, _ := c.Get(bodyKey).([]byte)
	h := sha256.New()
	_, _ = io.WriteString(h, c.Request().URL.RequestURI()+"\n") // no raw newline can be in an address
	_, _ = h.Write(body)
	return [32]byte(h.Sum(nil))
}

func sound(keys []string) bool {
	return len(keys) == 1 && keys[0] != "" && len(keys[0]) <= maxIdempotencyKey &&
		!strings.ContainsFunc(keys[0], func(r rune) bool { return r < ' ' || r > '~' })
}

func send(w http.ResponseWriter, answer replay.Answer) error {
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Status)
	_, err := w.Write(answer.Body)
	return err
}

// recorder holds an answer back until it is kept. Headers go to the real answer
// at once.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

func (r *recorder) answer() *replay.Answer {
	kept := http.Header{}
	for _, name := range []string{echo.HeaderContentType, "Content-Language", echo.HeaderLocation} {
		if v := r.header.Values(name); len(v) > 0 {
			kept[name] = v
		}
	}
	return &replay.Answer{Status: r.status, Header: kept, Body: r.body.Bytes()}
}
