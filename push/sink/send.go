package sink

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"doorstep/push"
)

// maxRequest bounds a request's body; a good one has some 5 KiB.
const maxRequest = 64 << 10

// send is FCM's messages:send.
func (s *Sink) send(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, "the request is too large")
		return
	}
	in, violations := parse(body)
	if len(violations) > 0 {
		refuse(w, violations)
		return
	}
	project := r.PathValue("project")
	if in.validateOnly {
		action, wait := s.rehearse(in.target)
		s.act(w, r, action, wait, messageName(project, "fake_message_id")) // as FCM names a dry run
		return
	}
	action, wait, id := s.receive(incoming{
		provider: push.FCM, project: project, token: in.target, message: in.message,
		authorization: r.Header.Get("Authorization") != "", ttl: in.ttl, collapse: in.collapse,
	})
	s.act(w, r, action, wait, messageName(project, id))
}

// sent is FCM's word that it has the message.
type sent struct {
	Name string `json:"name"`
}

func messageName(project, id string) string { return "projects/" + project + "/messages/" + id }

// act answers a well-formed send.
func (s *Sink) act(w http.ResponseWriter, r *http.Request, action Action, wait RetryAfter, name string) {
	if wait != "" && (action == Quota || action == Unavailable) {
		w.Header().Set("Retry-After", string(wait))
	}
	switch action {
	case OKEmpty:
		answer(w, http.StatusOK, struct{}{})
	case HTML:
		answerText(w, http.StatusOK, "text/html; charset=utf-8", "<!doctype html><title>Sign in</title>")
	case Redirect:
		http.Redirect(w, r, "/_sink/", http.StatusFound)
	case CType:
		answerText(w, http.StatusOK, "text/html", `{"name":`+strconv.Quote(name)+`}`)
	case Half:
		half(w, `{"name":`+strconv.Quote(name)+`}`)
	case Empty:
		panic(http.ErrAbortHandler) // net/http's way to end a connection
	case Hang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // returning would answer 200
	case Reset:
		reset(w)
	case Fat:
		answerText(w, http.StatusInternalServerError, "text/plain", strings.Repeat("too much ", 1<<20/9))
	case Quota:
		failFCM(w, http.StatusTooManyRequests, "QUOTA_EXCEEDED")
	case Unavailable:
		failFCM(w, http.StatusServiceUnavailable, "UNAVAILABLE")
	case Internal:
		failFCM(w, http.StatusInternalServerError, "INTERNAL")
	case BadGateway:
		answerText(w, http.StatusBadGateway, "text/html", "<!doctype html><title>502 Bad Gateway</title>")
	case Unregistered:
		failFCM(w, http.StatusNotFound, "UNREGISTERED")
	case NotFound:
		fail(w, http.StatusNotFound, "Requested entity was not found.")
	case Mismatch:
		failFCM(w, http.StatusForbidden, "SENDER_ID_MISMATCH")
	case Unauthorized:
		fail(w, http.StatusUnauthorized, "Request had invalid authentication credentials.")
	case Forbidden:
		fail(w, http.StatusForbidden, "The caller does not have permission.")
	case APNSAuth:
		failFCM(w, http.StatusUnauthorized, "THIRD_PARTY_AUTH_ERROR")
	case BadArgument:
		failFCM(w, http.StatusBadRequest, "INVALID_ARGUMENT")
	case BadField:
		refuse(w, []violation{{Field: "message.token", Description: "Simulated."}})
	default: // OK and Blackhole
		answer(w, http.StatusOK, sent{Name: name})
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}

func answerText(w http.ResponseWriter, status int, contentType, text string) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the client has gone
}

// half promises text and sends its first half.
func half(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	answerText(w, http.StatusOK, "application/json", text[:len(text)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// reset ends the connection with a TCP reset; over HTTP/2, with a reset of the
// stream.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // unsent data is dropped, and RST sent for FIN
	}
	_ = conn.Close()
}
