package sink

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"doorstep/push/webpush/ece"
)

const providerWebPush = "webpush"

// webPush is POST /wp/{subscription}: a browser's push service (RFC 8030) with
// the browser behind it, which decrypts at once. What a browser would drop in
// silence is refused here.
func (s *Sink) webPush(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, ece.MaxBody))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, "a body of more than 4096 bytes")
		return
	}
	if r.Header.Get("Authorization") == "" {
		w.Header().Set("WWW-Authenticate", "vapid")
		fail(w, http.StatusUnauthorized, "a VAPID token is required")
		return
	}
	if err := checkVAPID(r.Header.Get("Authorization"), originOf(r), s.now()); err != nil {
		fail(w, http.StatusForbidden, err.Error())
		return
	}
	ttl, problem := checkPushHeaders(r.Header)
	if problem != "" {
		fail(w, http.StatusBadRequest, problem)
		return
	}
	name := r.PathValue("subscription")
	b, err := s.browserOf(name)
	if err != nil {
		fail(w, http.StatusInternalServerError, "the keys cannot be derived")
		return
	}
	payload, err := ece.Open(b.key, b.auth, body)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	message, err := json.Marshal(pushed{headers(r.Header), payload})
	if err != nil {
		fail(w, http.StatusBadRequest, "the payload is not JSON")
		return
	}
	action, wait, id := s.receive(incoming{
		provider: providerWebPush, token: name, message: message, authorization: true,
		ttl: ttl, collapse: r.Header.Get("Topic"),
	})
	s.actWebPush(w, r, action, wait, id)
}

// pushed is a message as the sink shows it.
type pushed struct {
	Headers pushHeaders     `json:"headers"`
	Payload json.RawMessage `json:"payload"` // decrypted
}

// pushHeaders are those that the push service acts upon.
type pushHeaders struct {
	TTL     string `json:"TTL"`
	Urgency string `json:"Urgency,omitempty"`
	Topic   string `json:"Topic,omitempty"`
}

func headers(h http.Header) pushHeaders {
	return pushHeaders{TTL: h.Get("TTL"), Urgency: h.Get("Urgency"), Topic: h.Get("Topic")}
}

// checkPushHeaders says what RFC 8030 and 8291 forbid in the headers.
func checkPushHeaders(h http.Header) (ttl time.Duration, problem string) {
	seconds, err := strconv.ParseUint(h.Get("TTL"), 10, 31)
	switch {
	case err != nil:
		return 0, "TTL must be a number of seconds"
	case h.Get("Content-Encoding") != "aes128gcm":
		return 0, "Content-Encoding must be aes128gcm"
	case !topicForm.MatchString(h.Get("Topic")):
		return 0, "Topic must have at most 32 characters of base64url"
	case !slices.Contains([]string{"", "very-low", "low", "normal", "high"}, h.Get("Urgency")):
		return 0, "Urgency must be very-low, low, normal or high"
	}
	return time.Duration(seconds) * time.Second, ""
}

var topicForm = regexp.MustCompile(`^[A-Za-z0-9_-]{0,32}$`)

// actWebPush answers a well-formed push. Statuses are all that a sender reads,
// so the other faults are those of FCM; unregistered is 410 here, and 404 says
// the same.
func (s *Sink) actWebPush(w http.ResponseWriter, r *http.Request, action Action, wait RetryAfter, id string) {
	switch action {
	case OK, CType, Blackhole:
		w.Header().Set("Location", "/wp-messages/"+id)
		w.WriteHeader(http.StatusCreated)
	case Unregistered:
		fail(w, http.StatusGone, "The subscription has ended.")
	default:
		s.act(w, r, action, wait, id)
	}
}

// originOf is the origin that the request came to.
func originOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
