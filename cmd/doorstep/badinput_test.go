package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
)

// sendAs sends an operation's request with another body.
func (s *scene) sendAs(op operation, body any, headers ...header) answer {
	s.t.Helper()
	return s.send(op.method, s.of(op.roles[0]), op.path, body, headers...)
}

// onWrites tries every operation that takes a body, on both engines, with bodies
// that have every field, and checks that whatever was tried changed nothing.
func onWrites(t *testing.T, try func(t *testing.T, s *scene, op operation)) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		s := newScene(t, url)
		before := s.state()
		for _, op := range operations(t, s) {
			if !op.writes() {
				continue
			}
			for _, op.body = range op.full {
				try(t, s, op)
				s.unchanged(before, op.id)
			}
		}
	})
}

func TestABodyThatCannotBeReadIsRefusedWhole(t *testing.T) {
	onWrites(t, func(t *testing.T, s *scene, op operation) {
		good := encoded(t, op.body)
		for name, bad := range map[string]struct{ body, code, pointer string }{
			"no JSON":             {`{]`, "malformed_json", ""},
			"cut short":           {good[:len(good)-1], "malformed_json", ""},
			"text behind it":      {good + `{}`, "malformed_json", ""},
			"a byte behind it":    {good + "x", "malformed_json", ""},
			"an unknown field":    {`{"no_such_field":1,` + good[1:], "unknown_field", "/no_such_field"},
			"a field twice":       {`{` + good[1:len(good)-1] + `,` + good[1:], "duplicate_field", ""},
			"a list":              {`[]`, "wrong_type", ""},
			"a text":              {`"text"`, "wrong_type", ""},
			"null":                {`null`, "wrong_type", ""},
			"invalid UTF-8":       {strings.Replace(good, `":"`, "\":\"\xff", 1), "invalid_utf8", ""},
			"half of a surrogate": {strings.Replace(good, `":"`, `":"\ud800`, 1), "malformed_json", ""},
		} {
			if !strings.Contains(good, `":"`) && (bad.code == "invalid_utf8" || name == "half of a surrogate") {
				continue // it has no text
			}
			p := s.sendAs(op, bad.body).problem(http.StatusBadRequest)
			require.Equal(t, bad.code, p.Code, "%s: %s", op.id, name)
			require.Len(t, p.Errors, 1, "%s: %s", op.id, name)
			if bad.pointer != "" {
				require.Equal(t, bad.pointer, p.Errors[0].Pointer, "%s: %s", op.id, name)
			}
		}
		if op.id != "createConsumerLink" { // whose body is optional
			require.Equal(t, "empty_body", s.sendAs(op, "").problem(http.StatusBadRequest).Code, op.id)
			require.Equal(t, "empty_body", s.sendAs(op, " \n").problem(http.StatusBadRequest).Code, op.id)
		}
		text := s.sendAs(op, good, withHeader("Content-Type", "text/plain"))
		require.Equal(t, "unsupported_media_type", text.problem(http.StatusUnsupportedMediaType).Code, op.id)
	})
}

// endless gives blanks for ever and counts them.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += int64(len(p))
	return len(p), nil
}

func TestABodyOf50MegabytesIsRefusedUnread(t *testing.T) {
	const size = 50 << 20
	onWrites(t, func(t *testing.T, s *scene, op operation) {
		for _, length := range []int64{size, -1} { // -1: chunked, the length is not known before
			body, limit := &endless{}, int64(64<<10) // as the contract says
			if op.batch() != "" {
				limit = 4 << 20
			}
			sized := func(r *http.Request) { r.ContentLength = length }
			p := s.sendAs(op, io.LimitReader(body, size), sized).problem(http.StatusRequestEntityTooLarge)
			require.Equal(t, "too_large", p.Code, op.id)
			require.LessOrEqual(t, body.read, limit+1, "%s went on reading", op.id)
			if length > 0 {
				require.Zero(t, body.read, op.id)
			}
		}
	})
}

func TestAValueOfTheWrongTypeIsRefusedWithItsPlace(t *testing.T) {
	onWrites(t, func(t *testing.T, s *scene, op operation) {
		for pointer, f := range fields(t, op.body) {
			for _, wrong := range []any{map[string]any{}, []any{}, wrongScalar(f.value)} {
				p := s.sendAs(op, with(t, op.body, f.place, wrong)).problem(http.StatusBadRequest)
				require.Contains(t, []string{"wrong_type", "unknown_field"}, p.Code, "%s %s", op.id, pointer)
				require.True(t, strings.HasPrefix(p.Errors[0].Pointer, pointer), "%s %s: %s", op.id, pointer, p.Errors[0].Pointer)
			}
		}
	})
}

// refusal sends a body with one bad value, and reads what is wrong with the
// request or, in a batch, with its item alone. nil means that it was taken.
func (s *scene) refusal(op operation, body any) *api.ItemProblem {
	s.t.Helper()
	r := s.sendAs(op, body)
	switch {
	case op.batch() != "":
		got := read[batchAnswer](r, http.StatusOK)
		require.Equal(s.t, got.Results[0].Status == "rejected", got.Results[0].Problem != nil, "%s: %s", op.id, r.body)
		return got.Results[0].Problem
	case r.status < http.StatusMultipleChoices:
		return nil
	}
	require.Contains(s.t, []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}, r.status, "%s: %s", op.id, r.body)
	p := r.problem(r.status)
	return &p
}

// refused says whether the body is refused because of the field.
func (s *scene) refused(op operation, body any, pointer string) bool {
	s.t.Helper()
	p := s.refusal(op, body)
	if p == nil {
		return false
	}
	for _, part := range []string{"/opens", "/closes"} { // which of the two is wrong nobody can say
		pointer = strings.TrimSuffix(pointer, part)
	}
	if len(p.Errors) == 0 { // not a value but what it names is wrong
		return p.Code == "not_found" || p.Code == "conflict"
	}
	return slices.ContainsFunc(p.Errors, func(f api.ProblemField) bool { return f.Pointer == pointer })
}

// batchAnswer is what the answers to all batches have in common.
type batchAnswer struct {
	Results []struct {
		Status  string
		Problem *api.ItemProblem
	}
}

func TestNoTextFieldTakesANUL(t *testing.T) {
	onWrites(t, func(t *testing.T, s *scene, op operation) {
		for pointer, f := range fields(t, op.body) {
			if text, ok := f.value.(string); ok {
				require.True(t, s.refused(op, with(t, op.body, f.place, text[:1]+"\x00"+text[1:]), pointer), "%s %s", op.id, pointer)
			}
		}
	})
}

func TestABatchOfNoneOrTooManyIsRefusedWhole(t *testing.T) {
	onWrites(t, func(t *testing.T, s *scene, op operation) {
		list := op.batch()
		if list == "" {
			return
		}
		most := int(*op.schema.Properties[list].Value.MaxItems)
		item := encoded(t, op.body)
		item = strings.TrimSuffix(strings.TrimPrefix(item, `{"`+list+`":[`), `]}`)
		for _, n := range []int{0, most + 1} {
			body := `{"` + list + `":[` + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + `]}`
			p := s.sendAs(op, body).problem(http.StatusUnprocessableEntity)
			require.Equal(t, []string{"/" + list + " batch_size"}, at(p.Errors), "%s with %d", op.id, n)
		}
	})
}

func TestABadValueIsNamed(t *testing.T) {
	onWrites(t, func(t *testing.T, s *scene, op operation) {
		long := strings.Repeat("7", 10<<10)
		nextYear := s.clock.Now().AddDate(1, 0, 0).Format(time.RFC3339)
		for pointer, f := range fields(t, op.body) {
			name, _ := f.place[len(f.place)-1].(string)
			var bad []string
			switch name {
			case "waybill":
				bad = []string{"", " ", "SF 1", "SF/1", "包裹", long}
			case "phone":
				bad = []string{"", "none", "12", "138000000011111111111", "+", long}
			case "at", "occurred_at", "taken_at", "dispatched_at":
				bad = []string{"yesterday", "1970-01-01T00:00:00Z", "2014-12-31T23:59:59Z", nextYear, "2026-03-02", "2026-03-02T01:00:00"}
			case "valid_until":
				bad = []string{"tomorrow", "1970-01-01T00:00:00Z", s.clock.Now().Format(time.RFC3339)}
			case "kind", "scope", "receipt_method", "provider", "event", "category", "channel", "direction", "locale", "time_zone":
				bad = []string{"no-such-word", long}
			case "outcome": // of an attempt, any words
				bad = []string{"", long}
			case "opens", "closes":
				bad = []string{"", "8:00", "25:00", "noon"}
			case "date":
				bad = []string{"", "2026-02-30", "today"}
			case "id":
				bad = []string{"", "7", long, "01936f40-77aa-7d10-8c33-1f0e6b9a2c4g"}
			case "outlet_id", "courier_id":
				bad = []string{"", " ", "a\nb", long}
			}
			if op.id == "fileComplaint" && name == "channel" {
				bad = []string{long} // the carrier's own word
			}
			for _, value := range bad {
				if value == "" && (op.id == "fileComplaint" && name != "waybill" || name == "valid_until" || name == "dispatched_at") {
					continue // as if it were not given
				}
				require.True(t, s.refused(op, with(t, op.body, f.place, value), pointer), "%s %s %.20q", op.id, pointer, value)
			}
		}
	})
}

func TestAnAddressThatNothingCanHaveIsRefused(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		s := newScene(t, url)
		before := s.state()
		for _, op := range operations(t, s) {
			cut := strings.Index(op.template, "{")
			if cut < 0 {
				continue
			}
			rest := op.template[strings.Index(op.template, "}")+1:]
			for segment, status := range map[string]int{
				"%00": http.StatusBadRequest, "a%00b": http.StatusBadRequest, "%ff": http.StatusBadRequest,
				strings.Repeat("A", 10<<10): 0, "no%20such%0athing": 0, "%2e%2e": 0, "'%20or%201=1--": 0,
			} {
				op.path = op.template[:cut] + segment + rest
				r := s.sendAs(op, op.body)
				switch {
				case status != 0:
					r.is(status)
				case op.method == http.MethodPut && r.status == http.StatusOK:
					// any printable text may be the carrier's id of something new
				default:
					require.Contains(t, []int{http.StatusNotFound, http.StatusUnprocessableEntity}, r.status, "%s %.60s: %s", op.method, op.path, r.body)
				}
			}
		}
		s.unchanged(before, "odd addresses")
		for _, filter := range []string{"waybill=" + strings.Repeat("7", 10<<10), "waybill=a%20b", "from=yesterday", "kind=gossip", "limit=0", "limit=201", "limit=x", "cursor=x"} {
			r := s.get(s.hq(), "/v1/evidence?"+filter)
			require.Len(t, r.problem(http.StatusUnprocessableEntity).Errors, 1, filter)
		}
		s.get(s.hq(), "/v1/evidence?waybill=%00").is(http.StatusBadRequest)
		s.get(s.courier("li"), "/v1/me/alerts?after=-1").is(http.StatusUnprocessableEntity)
	})
}

func TestABadItemHarmsNoOther(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		s := newScene(t, url)
		for _, op := range operations(t, s) {
			list := op.batch()
			if list == "" {
				continue
			}
			var body map[string][]map[string]any
			require.NoError(t, json.Unmarshal([]byte(encoded(t, op.body)), &body))
			good := body[list][0]
			bad := maps.Clone(good)
			for name, v := range map[string]any{"waybill": "no waybill", "alert_id": "no alert"} {
				if _, ok := bad[name]; ok {
					bad[name] = v
				}
			}
			got := read[batchAnswer](s.sendAs(op, map[string]any{list: []any{bad, good, bad, bad}}), http.StatusOK)
			require.Equal(t, "accepted", got.Results[1].Status, op.id)
			for _, i := range []int{0, 2, 3} {
				require.Equal(t, "rejected", got.Results[i].Status, op.id)
				for _, f := range got.Results[i].Problem.Errors {
					require.True(t, strings.HasPrefix(f.Pointer, fmt.Sprintf("/%s/%d/", list, i)), f.Pointer)
				}
			}
			again := read[batchAnswer](s.sendAs(op, op.body), http.StatusOK)
			require.Equal(t, "duplicate", again.Results[0].Status, op.id)
		}
		require.Len(t, s.evidence("west", "&waybill=SF72"), 2, "a dispatch and its alert")
		require.Len(t, s.evidence("west", "&kind=message"), 2)
		require.Len(t, s.evidence("west", "&kind=receipt"), 1)
	})
}

func TestSamplesGiveEveryFieldOfTheContract(t *testing.T) {
	for _, op := range operations(t, newScene(t, storetest.SQLite(t))) {
		if !op.writes() {
			continue
		}
		given := map[string]field{}
		for _, body := range op.full {
			maps.Copy(given, fields(t, body))
		}
		for _, pointer := range scalars(op.schema, "") {
			require.Contains(t, given, pointer, "no test of bad input tries this field of %s", op.id)
		}
	}
}

func TestTextsAreAsLongAsTheContractSays(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		s := newScene(t, url)
		for _, op := range operations(t, s) {
			if !op.writes() {
				continue
			}
			for _, body := range op.full {
				for pointer, f := range fields(t, body) {
					schema := schemaAt(op.schema, f.place)
					if schema == nil || schema.MaxLength == nil || schema.Format != "" {
						continue
					}
					longest := int(*schema.MaxLength)
					tooLong := strings.Repeat("字", longest+1)
					assert.True(t, s.refused(op, with(t, body, f.place, tooLong), pointer), "%s %s", op.id, pointer)
					if name := f.place[len(f.place)-1]; schema.Pattern != "" || name == "phone" || name == "locale" {
						continue // not any text will do
					}
					p := s.refusal(op, with(t, body, f.place, strings.Repeat("字", longest)))
					assert.True(t, p == nil || len(p.Errors) == 0, "%s %s of %d: %+v", op.id, pointer, longest, p)
				}
			}
		}
	})
}
