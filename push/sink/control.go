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

// clearMessages is DELETE /_sink/messages: messages and requests alike.
func (s *Sink) clearMessages(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	s.messages.clear()
	s.requests.clear()
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
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	dec.DisallowUnknownFields()
	var rules []Rule
	if err := dec.Decode(&rules); err != nil {
		fail(w, http.StatusBadRequest, "the body must be a list of rules: "+err.Error())
		return
	}
	if err := s.SetRules(rules...); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	s.listRules(w, r)
}
