package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A guide shows its requests, each with its answer, in fenced blocks "http",
// and what a phone receives in fenced blocks "json push". In them "..." stands
// for what is left out. {{name}} stands for a value: the first answer or push
// that shows it says what it is, and from then on it is that.

// showing is one fenced block of a guide.
type showing struct {
	line int // of its first line
	kind string
	text string
}

var fenced = regexp.MustCompile("(?ms)^```(http|json push)\n(.*?)^```$")

// shownIn lists the blocks of a guide that can be replayed.
func shownIn(t *testing.T, name string) (list []showing) {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	for _, at := range fenced.FindAllSubmatchIndex(text, -1) {
		list = append(list, showing{
			line: strings.Count(string(text[:at[4]]), "\n") + 1, kind: string(text[at[2]:at[3]]), text: string(text[at[4]:at[5]]),
		})
	}
	require.NotEmpty(t, list)
	return list
}

// replay plays what a guide shows in order against the server at base.
type replay struct {
	base     string
	known    map[string]string      // by name, as text
	nextPush func() ([]byte, error) // the next push that a phone received
}

func (r *replay) play(s showing) error {
	if s.kind == "json push" {
		got, err := r.nextPush()
		if err != nil {
			return err
		}
		return r.matchJSON(s.text, got)
	}
	return r.exchange(s.text)
}

// answerLine begins the answer to the request above it.
var answerLine = regexp.MustCompile(`(?m)^HTTP/1\.1 \d`)

func (r *replay) exchange(text string) error {
	at := answerLine.FindStringIndex(text)
	if at == nil {
		return fmt.Errorf("shows no answer")
	}
	request, err := r.request(text[:at[0]])
	if err != nil {
		return err
	}
	wantHead, wantBody, _ := strings.Cut(text[at[0]:], "\n\n")
	want, err := http.ReadResponse(bufio.NewReader(strings.NewReader(wantHead+"\n\n")), nil)
	if err != nil {
		return err
	}
	got, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		return err
	}
	if got.StatusCode != want.StatusCode {
		return fmt.Errorf("%s %s: %d is answered %s: %s", request.Method, request.URL.Path, want.StatusCode, got.Status, body)
	}
	for name := range want.Header {
		if err := r.match(name, want.Header.Get(name), got.Header.Get(name)); err != nil {
			return err
		}
	}
	if strings.TrimSpace(wantBody) == "" {
		return nil
	}
	return r.matchJSON(wantBody, body)
}

var placeholder = regexp.MustCompile(`\{\{(\w+)\}\}`)

// request is what the guide shows, with the values in place of their names.
func (r *replay) request(text string) (*http.Request, error) {
	for _, name := range placeholder.FindAllStringSubmatch(text, -1) {
		value, ok := r.known[name[1]]
		if !ok {
			return nil, fmt.Errorf("nothing has said what {{%s}} is", name[1])
		}
		text = strings.ReplaceAll(text, name[0], value)
	}
	head, body, _ := strings.Cut(text, "\n\n")
	shown, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\n\n")))
	if err != nil {
		return nil, err
	}
	var in io.Reader
	if body = strings.TrimSuffix(body, "\n"); strings.TrimSpace(body) != "" {
		in = strings.NewReader(strings.TrimSuffix(body, "\n"))
	}
	request, err := http.NewRequest(shown.Method, r.base+shown.RequestURI, in)
	if err != nil {
		return nil, err
	}
	request.Header = shown.Header
	return request, nil
}

func (r *replay) matchJSON(want string, got []byte) error {
	var shown, is any
	if err := json.Unmarshal([]byte(want), &shown); err != nil {
		return fmt.Errorf("shows no JSON: %w", err)
	}
	if err := json.Unmarshal(got, &is); err != nil {
		return fmt.Errorf("no JSON came: %w: %s", err, got)
	}
	if err := r.match("", shown, is); err != nil {
		return fmt.Errorf("%w in %s", err, got)
	}
	return nil
}

// match compares what the guide shows at a place with what is there. An object
// may have more than is shown, a list only where "..." ends it.
func (r *replay) match(at string, want, got any) error {
	differs := fmt.Errorf("%s: the guide shows %s, there is %s", at, asText(want), asText(got))
	switch w := want.(type) {
	case map[string]any:
		is, ok := got.(map[string]any)
		if !ok {
			return differs
		}
		for _, name := range slices.Sorted(maps.Keys(w)) {
			value, ok := is[name]
			if !ok {
				return fmt.Errorf("%s/%s: is not there", at, name)
			}
			if err := r.match(at+"/"+name, w[name], value); err != nil {
				return err
			}
		}
		return nil
	case []any:
		is, ok := got.([]any)
		more := len(w) > 0 && w[len(w)-1] == "..."
		if more {
			w = w[:len(w)-1]
		}
		if !ok || len(is) < len(w) || !more && len(is) > len(w) {
			return differs
		}
		for i := range w {
			if err := r.match(fmt.Sprintf("%s/%d", at, i), w[i], is[i]); err != nil {
				return err
			}
		}
		return nil
	case string:
		if _, text := got.(string); !text && !strings.Contains(w, "...") && !placeholder.MatchString(w) {
			return differs
		}
		if !r.matchText(w, asText(got)) {
			return differs
		}
		return nil
	default:
		if want != got {
			return differs
		}
		return nil
	}
}

var wild = regexp.MustCompile(`\.\.\.|\{\{\w+\}\}`)

// matchText compares text, and remembers the values that it names.
func (r *replay) matchText(want, got string) bool {
	pattern, names, end := `(?s)\A`, []string{}, 0
	for _, at := range wild.FindAllStringIndex(want, -1) {
		pattern += regexp.QuoteMeta(want[end:at[0]])
		end = at[1]
		name := strings.Trim(want[at[0]:at[1]], "{}")
		if value, ok := r.known[name]; ok {
			pattern += regexp.QuoteMeta(value)
		} else if name == "..." {
			pattern += `.*?`
		} else {
			pattern, names = pattern+`(.+?)`, append(names, name)
		}
	}
	found := regexp.MustCompile(pattern + regexp.QuoteMeta(want[end:]) + `\z`).FindStringSubmatch(got)
	if found == nil {
		return false
	}
	for i, name := range names {
		r.known[name] = found[i+1]
	}
	return true
}

// asText is a string as it is, and any other value as JSON.
func asText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
