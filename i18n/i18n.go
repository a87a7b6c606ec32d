// Package i18n holds every text that a courier, a consumer or a manager reads,
// in zh-CN and en.
package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"doorstep/prefs"
)

//go:embed *.json
var catalogues embed.FS

// Languages that every text exists in; the first is the default.
var Languages = []language.Tag{language.MustParse("zh-CN"), language.English}

var (
	bundle, keys = load()
	matcher      = language.NewMatcher(Languages)
)

// load reads the catalogues, which have the same keys.
func load() (*i18n.Bundle, []string) {
	b := i18n.NewBundle(Languages[0])
	b.RegisterUnmarshalFunc("json", json.Unmarshal)
	var keys []string
	for _, tag := range Languages {
		file, err := b.LoadMessageFileFS(catalogues, tag.String()+".json")
		if err != nil {
			panic(fmt.Sprintf("i18n: %v", err)) // the catalogues are part of the program
		}
		keys = keys[:0]
		for _, message := range file.Messages {
			keys = append(keys, message.ID)
		}
	}
	return b, keys
}

// Texts speaks one language.
type Texts struct {
	Language language.Tag
	texts    *i18n.Localizer
}

// For picks the language that suits wishes best: locales or Accept-Language
// headers, the most wanted first.
func For(wishes ...string) Texts {
	tag, _ := language.MatchStrings(matcher, wishes...)
	base, _ := tag.Base()
	language := Languages[0]
	for _, known := range Languages {
		if b, _ := known.Base(); b == base {
			language = known
		}
	}
	return Texts{Language: language, texts: i18n.NewLocalizer(bundle, language.String())}
}

// Text gives the text of a key. A key that the catalogues lack is a mistake of
// ours and shows as itself.
func (t Texts) Text(key string) string {
	s, err := t.texts.Localize(&i18n.LocalizeConfig{MessageID: key})
	if err != nil {
		return key
	}
	return s
}

// Under gives all texts whose keys begin with one of the prefixes: what a script
// of a page may say.
func (t Texts) Under(prefixes ...string) map[string]string {
	texts := map[string]string{}
	for _, key := range keys {
		if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
			texts[key] = t.Text(key)
		}
	}
	return texts
}

// Fill gives the text of a key with values in its places: "{date}". Pairs are a
// place's name and its value.
func (t Texts) Fill(key string, pairs ...string) string {
	var places []string
	for i := 0; i+1 < len(pairs); i += 2 {
		places = append(places, "{"+pairs[i]+"}", pairs[i+1])
	}
	return strings.NewReplacer(places...).Replace(t.Text(key))
}

// Day names the day of a moment; the year only if it is another than now's. Both
// are in their own zones.
func (t Texts) Day(moment, now time.Time) string {
	layout := "date.this_year"
	if moment.Year() != now.Year() {
		layout = "date.other_year"
	}
	return moment.Format(t.Text(layout))
}

// Moment names a day and a time of it, to the minute. Both are in their own zones.
func (t Texts) Moment(moment, now time.Time) string {
	return t.Fill("date.moment", "weekday", t.Weekday(moment), "day", t.Day(moment, now), "time", moment.Format("15:04"))
}

// Weekday names the day of the week, in short.
func (t Texts) Weekday(moment time.Time) string {
	return strings.Fields(t.Text("date.weekdays"))[moment.Weekday()]
}

// Instruction tells the courier what to do at a door with this tag.
func (t Texts) Instruction(tag prefs.Tag) string { return t.Text("instruction." + string(tag)) }

// Wish names a tag to the consumer whose wish it is.
func (t Texts) Wish(tag prefs.Tag) string { return t.Text("wish." + string(tag)) }

// Event tells a line of a case's timeline: a record's kind, and the word that
// says how it went. A word that the catalogues lack leaves the kind alone.
func (t Texts) Event(kind, outcome string) string {
	key := "timeline." + kind
	if status := "parcel_status." + outcome; kind == "scan" && t.Text(status) != status {
		return t.Fill(key+".as", "status", t.Text(status))
	}
	if text := t.Text(key + "." + outcome); text != key+"."+outcome {
		return text
	}
	if text := t.Text(key); text != key {
		return text
	}
	return kind
}
