package outside

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"doorstep/complaints"
	"doorstep/prefs"
	"doorstep/push"
)

// What the built-in reader is sure of is not asked about and stands. The outside
// one has the last word on the rest.
const (
	sureCategory = 0.5
	sureTag      = 0.75
	// confirmed is the least confidence of a tag that both find, said that of one
	// that only the outside reader finds: enough to advise by, never as much as the
	// consumer's plain words.
	confirmed = 0.75
	said      = 0.7

	mostAtOnce = 4 // calls; who comes fifth does not wait
)

// Reader asks a model elsewhere. It is safe for concurrent use.
type Reader struct {
	config Config
	client *http.Client
	now    func() time.Time
	log    *slog.Logger
	slots  chan struct{}

	mu      sync.Mutex
	breaker push.Breaker
	day     string // UTC
	calls   int    // on that day
}

// New makes a reader. now and log are the process's.
func New(c Config, now func() time.Time, log *slog.Logger) (*Reader, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return &Reader{
		config: c, now: now, log: log, slots: make(chan struct{}, mostAtOnce),
		client: &http.Client{
			// A redirect would carry text and key to a place that nobody set.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Unsure says whether the built-in reading is worth a second one: its category
// is less likely than not, or one of its tags is a close call.
func (r *Reader) Unsure(first complaints.Reading) bool {
	return first.Confidence < sureCategory || slices.ContainsFunc(first.Tags, isUnsure)
}

func isUnsure(t complaints.TagReading) bool { return t.Confidence < sureTag }

// ReadAgain gives the first reading, bettered where the outside one may. It takes
// no longer than the time-out, and gives the first reading as it was where the
// call fails, is late, over the budget or paused.
func (r *Reader) ReadAgain(ctx context.Context, text string, first complaints.Reading, known []complaints.Party) complaints.Reading {
	if namesCodes(text) {
		return first
	}
	try, ok := r.begin(ctx)
	if !ok {
		return first
	}
	defer func() { <-r.slots }()
	masked := Mask(text, known...)
	second, fault := r.ask(ctx, masked)
	r.end(ctx, try, fault)
	if fault != "" {
		return first
	}
	return joined(first, second)
}

// namesCodes knows texts that speak the model's language, not a consumer's.
func namesCodes(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(prefs.Tags, func(t prefs.Tag) bool { return strings.Contains(text, string(t)) })
}

// joined keeps what the first reading is sure of and takes the rest from the
// second.
func joined(first complaints.Reading, second answer) complaints.Reading {
	out := first
	if first.Confidence < sureCategory {
		out.Category = second.category
	}
	out.Tags = nil
	var sure []prefs.Tag
	for _, t := range first.Tags {
		found := slices.Contains(second.tags, t.Tag)
		switch {
		case !isUnsure(t):
			sure = append(sure, t.Tag)
		case found:
			t.Confidence = max(t.Confidence, confirmed)
		default:
			continue
		}
		out.Tags = append(out.Tags, t)
	}
	for _, tag := range second.tags {
		known := slices.ContainsFunc(out.Tags, func(t complaints.TagReading) bool { return t.Tag == tag })
		if !known && !contradicts(tag, sure) {
			out.Tags = append(out.Tags, complaints.TagReading{Tag: tag, Confidence: said})
		}
	}
	slices.SortFunc(out.Tags, func(a, b complaints.TagReading) int { return strings.Compare(string(a.Tag), string(b.Tag)) })
	return out
}

// begin takes a slot, a call of the day's budget and the breaker's leave.
func (r *Reader) begin(ctx context.Context) (push.Try, bool) {
	select {
	case r.slots <- struct{}{}:
	default:
		return push.Try{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now().UTC()
	if day := now.Format(time.DateOnly); day != r.day {
		r.day, r.calls = day, 0
	}
	if r.calls >= r.config.Daily || r.breaker.Admits(now, 1) == 0 {
		<-r.slots
		return push.Try{}, false
	}
	r.calls++
	if r.calls == r.config.Daily {
		r.log.WarnContext(ctx, "outside reader: the day's budget is used up", "calls", r.calls)
	}
	return r.breaker.Begin(), true
}

// faults of a call, as they are logged.
const (
	faultLate      = "late"
	faultWay       = "unreachable"
	faultRefused   = "refused" // settings are wrong: no other call would fare better
	faultStatus    = "status"
	faultSize      = "too_large"
	faultMalformed = "malformed"
	faultAbandoned = "abandoned" // by who filed the complaint; nobody's fault
)

func (r *Reader) end(ctx context.Context, try push.Try, fault string) {
	result := push.Result{Outcome: push.Retry, Code: fault}
	switch {
	case fault == "", fault == faultAbandoned && !try.Probe:
		result.Outcome = push.Accepted
	case fault == faultRefused:
		result.Outcome = push.ProviderDown
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.breaker.End(r.now(), try, result) {
		return
	}
	if until, open := r.breaker.Pause(); open {
		r.log.WarnContext(ctx, "outside reader: paused", "fault", fault, "until", until)
		return
	}
	r.log.InfoContext(ctx, "outside reader: answers again")
}

// ask makes one call. Errors of the way are never passed on: they may quote what
// was sent.
func (r *Reader) ask(ctx context.Context, masked string) (a answer, fault string) {
	within, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	body, err := question(r.config.Model, masked)
	if err != nil {
		return answer{}, faultMalformed
	}
	request, err := http.NewRequestWithContext(within, http.MethodPost, r.config.endpoint(), bytes.NewReader(body))
	if err != nil {
		return answer{}, faultWay
	}
	request.Header.Set("Content-Type", "application/json")
	if r.config.Key != "" {
		request.Header.Set("Authorization", "Bearer "+r.config.Key)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return answer{}, wayFault(ctx, within)
	}
	defer response.Body.Close()
	switch kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); {
	case response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden, response.StatusCode == http.StatusNotFound:
		return answer{}, faultRefused
	case response.StatusCode != http.StatusOK:
		return answer{}, faultStatus
	case kind != "application/json":
		return answer{}, faultMalformed
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return answer{}, wayFault(ctx, within)
	case len(text) > maxBody:
		return answer{}, faultSize
	}
	a, err = read(text, masked)
	if errors.Is(err, errMalformed) {
		return answer{}, faultMalformed
	}
	return a, ""
}

// wayFault tells who gave up.
func wayFault(caller, within context.Context) string {
	switch {
	case caller.Err() != nil:
		return faultAbandoned
	case within.Err() != nil:
		return faultLate
	}
	return faultWay
}
