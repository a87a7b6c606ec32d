package outside

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorstep/complaints"
	"doorstep/prefs"
)

// Bounds of an answer.
const (
	maxBody    = 64 << 10 // bytes, of all that comes back
	maxContent = 8 << 10  // bytes, of the model's words
	maxTags    = 6
	maxQuote   = 200 // runes
)

// answer is what the model said, checked.
type answer struct {
	category complaints.Category
	tags     []prefs.Tag
}

// errMalformed is any answer that breaks a rule. What it says is never part of
// the error: it may repeat the text.
var errMalformed = errors.New("malformed answer")

func malformed(why string) error { return fmt.Errorf("%w: %s", errMalformed, why) }

// envelope is what of the service's answer is of use.
type envelope struct {
	Choices []struct {
		Message struct {
			Content *string `json:"content"`
		} `json:"message"`
	} `json:"choices"`
}

// read checks the body of a service's answer against the text that was sent:
// one JSON object, known fields, the closed lists, no two tags that contradict
// each other, and every tag with words that stand in the text.
func read(body []byte, masked string) (answer, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil || len(e.Choices) == 0 || e.Choices[0].Message.Content == nil {
		return answer{}, malformed("no choices[0].message.content")
	}
	content := *e.Choices[0].Message.Content
	if len(content) > maxContent || !utf8.ValidString(content) {
		return answer{}, malformed("too long, or not UTF-8")
	}
	var said struct {
		Category *string `json:"category"`
		Tags     []struct {
			Tag   string `json:"tag"`
			Quote string `json:"quote"`
		} `json:"tags"`
	}
	in := json.NewDecoder(bytes.NewReader([]byte(content)))
	in.DisallowUnknownFields()
	if err := in.Decode(&said); err != nil {
		return answer{}, malformed("not the JSON object that was asked for")
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return answer{}, malformed("more than one JSON value")
	}
	if said.Category == nil || !slices.Contains(complaints.Categories, complaints.Category(*said.Category)) {
		return answer{}, malformed("category outside the list")
	}
	if len(said.Tags) > maxTags {
		return answer{}, malformed("too many tags")
	}
	a := answer{category: complaints.Category(*said.Category)}
	for _, t := range said.Tags {
		tag, ok := prefs.ParseTag(t.Tag)
		switch {
		case !ok:
			return answer{}, malformed("tag outside the vocabulary")
		case slices.Contains(a.tags, tag), contradicts(tag, a.tags):
			return answer{}, malformed("tags twice, or that contradict each other")
		case !isQuote(t.Quote, masked):
			return answer{}, malformed("words that are not in the text")
		}
		a.tags = append(a.tags, tag)
	}
	return a, nil
}

func contradicts(tag prefs.Tag, others []prefs.Tag) bool {
	return slices.ContainsFunc(tag.Opposites(), func(o prefs.Tag) bool { return slices.Contains(others, o) })
}

// masks are what Mask puts in.
var masks = regexp.MustCompile(`\[(?:number|name|address|link)\]`)

// isQuote says whether words stand in the text and say something of their own.
func isQuote(words, masked string) bool {
	if utf8.RuneCountInString(words) > maxQuote || !strings.Contains(masked, words) {
		return false
	}
	return strings.ContainsFunc(masks.ReplaceAllString(words, ""), unicode.IsLetter)
}
