package sink

import (
	"net/http"
	"strconv"
	"strings"
)

// jwtBearer is the grant that a service account uses (RFC 7523).
const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// token stands in for oauth2.googleapis.com/token. It looks at the form of the
// assertion only: whose key signed it is nothing to the sink.
func (s *Sink) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	switch {
	case r.PostFormValue("grant_type") != jwtBearer:
		answer(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
	case strings.Count(r.PostFormValue("assertion"), ".") != 2:
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
	default:
		answer(w, http.StatusOK, map[string]any{
			"access_token": "sink-" + strconv.Itoa(s.countToken()), "expires_in": 3600, "token_type": "Bearer",
		})
	}
}

func (s *Sink) countToken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens++
	return s.tokens
}

// Tokens says how many access tokens were given out.
func (s *Sink) Tokens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens
}
