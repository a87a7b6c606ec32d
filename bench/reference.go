package bench

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"

	"doorstep/api"
)

// ServeEcho answers dispatches as the server does but looks at nothing: it
// decodes the call with the decoder that the server uses, and answers what a
// dispatch without tags is answered. It serves until ctx ends.
func ServeEcho(ctx context.Context, out io.Writer) error {
	e := echo.New()
	e.POST("/v1/dispatches", func(c echo.Context) error {
		var in api.DispatchBatch
		if err := json.UnmarshalRead(c.Request().Body, &in); err != nil {
			return err
		}
		answer := api.DispatchResults{Accepted: len(in.Dispatches), Results: make([]api.DispatchResult, len(in.Dispatches))}
		for i, d := range in.Dispatches {
			answer.Results[i] = api.DispatchResult{Index: i, Waybill: d.Waybill, Status: "accepted", Tags: []api.Tag{}, Decisions: []api.Decision{}}
		}
		return c.JSON(http.StatusOK, answer)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: e}
	fmt.Fprintf(out, "echo on http://%s\n", listener.Addr())
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

// SendFunc sends a message, as the server made its body, so many times.
type SendFunc func(ctx context.Context, body []byte, times int) error

// ServeSends lets another process order sends line by line, "TIMES BODY", the
// body in base64; it answers with a line when all are done.
func ServeSends(ctx context.Context, in io.Reader, out io.Writer, send SendFunc) error {
	fmt.Fprintln(out, "sender of http://nothing") // it only sends
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var times int
		var text string
		if _, err := fmt.Sscan(lines.Text(), &times, &text); err != nil {
			return fmt.Errorf("order %q: %w", lines.Text(), err)
		}
		body, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return err
		}
		if err := send(ctx, body, times); err != nil {
			return err
		}
		fmt.Fprintln(out, "done")
	}
	return lines.Err()
}

// orderSends is the other end of ServeSends.
func (p *process) orderSends(body []byte, times int) error {
	_, err := fmt.Fprintln(p.in, times, base64.StdEncoding.EncodeToString(body))
	if err == nil {
		_, err = p.out.ReadString('\n')
	}
	if err != nil {
		return fmt.Errorf("the SDK's process: %w: %s", err, p.log)
	}
	return nil
}
