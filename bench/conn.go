package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// conn is one keep-alive connection of a client that must cost little, since it
// shares the processors with what it measures: requests are ready-made bytes,
// and the goroutine that writes one reads its answer. http.Client would add two
// goroutines a connection, header maps and a copy of each body. What is read is
// read by net/http's own parser.
type conn struct {
	net  net.Conn
	in   *bufio.Reader
	body bytes.Buffer
}

func dial(ctx context.Context, addr string) (*conn, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{net: c, in: bufio.NewReaderSize(c, 64<<10)}, nil
}

func (c *conn) close() { _ = c.net.Close() }

var posted = &http.Request{Method: http.MethodPost}

// exchange sends a whole request and reads the answer; body holds until the next
// exchange. Any status but 200 and 201 is an error.
func (c *conn) exchange(request []byte) (body []byte, err error) {
	if _, err := c.net.Write(request); err != nil {
		return nil, err
	}
	res, err := http.ReadResponse(c.in, posted)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	c.body.Reset()
	if _, err := c.body.ReadFrom(res.Body); err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("answered %s: %.300s", res.Status, c.body.Bytes())
	}
	return c.body.Bytes(), nil
}

// request is a whole HTTP request with a JSON body, and where the body begins.
func request(method, path, token string, body []byte) (whole []byte, bodyAt int) {
	head := method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
		"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	return append([]byte(head), body...), len(head)
}
