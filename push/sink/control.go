package sink

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// listMessages is GET /_sink/messages?after=ID&limit=N, the oldest first. after
// takes an id or its number; what no longer is kept is left out.
func (s *Sink) listMessages(w http.ResponseWriter, r *http.Request) {
	after, limit, ok := window(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	body := map[string]any{"messages": s.messages.after(after, limit), "total": s.messages.total}
	s.mu.Unlock()
	answer(w, http.StatusOK, body)
}

// clearMessages is DELETE /_sink/messages: messages and requests alike, those on
// the phones and those that wait for one. Who is offline stays so.
func (s *Sink) clearMessages(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	s.messages.clear()
	s.requests.clear()
	for d := range s.devices.all() {
		d.clear()
	}
	s.publish(Event{At: s.now().UTC(), Kind: Cleared})
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// listRequests is GET /_sink/requests?after=N&limit=N: every well-formed send
// with what was done to it.
func (s *Sink) listRequests(w http.ResponseWriter, r *http.Request) {
	after, limit, ok := window(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	body := map[string]any{"requests": s.requests.after(after, limit), "total": s.requests.total}
	s.mu.Unlock()
	answer(w, http.StatusOK, body)
}

// window reads after (0: from the start) and limit (keep).
func window(w http.ResponseWriter, r *http.Request) (after, limit int, ok bool) {
	limit = keep
	var err error
	if v := r.FormValue("after"); v != "" {
		number, _, _ := strings.Cut(v, "-")
		if after, err = strconv.Atoi(number); err != nil || after < 0 {
			fail(w, http.StatusBadRequest, "after must be an id or a number")
			return 0, 0, false
		}
	}
	if v := r.FormValue("limit"); v != "" {
		if limit, err = strconv.Atoi(v); err != nil || limit < 1 || limit > keep {
			fail(w, http.StatusBadRequest, "limit must be between 1 and "+strconv.Itoa(keep))
			return 0, 0, false
		}
	}
	return after, limit, true
}

// listRules is GET /_sink/rules.
func (s *Sink) listRules(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	rules := make([]Rule, len(s.rules))
	for i, r := range s.rules {
		rules[i] = r.Rule
	}
	s.mu.Unlock()
	answer(w, http.StatusOK, rules)
}

// putRules is PUT /_sink/rules with a list of rules.
func (s *Sink) putRules(w http.ResponseWriter, r *http.Request) {
	var rules []Rule
	if !read(w, r, &rules) {
		return
	}
	if err := s.SetRules(rules...); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	s.listRules(w, r)
}

// listDevices is GET /_sink/devices.
func (s *Sink) listDevices(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"devices": s.Devices()})
}

// putDevice is PUT /_sink/devices/{token} with {"online": true or false}.
func (s *Sink) putDevice(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Online *bool `json:"online"`
	}
	if !read(w, r, &in) {
		return
	}
	if in.Online == nil {
		fail(w, http.StatusBadRequest, "online must be true or false")
		return
	}
	answer(w, http.StatusOK, s.SetOnline(r.PathValue("token"), *in.Online))
}

// read reads a JSON body into in, which has every field that the body may have.
func read(w http.ResponseWriter, r *http.Request, in any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	dec.DisallowUnknownFields()
	if err := dec.Decode(in); err != nil {
		fail(w, http.StatusBadRequest, "the body does not fit: "+err.Error())
		return false
	}
	return true
}
