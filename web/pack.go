package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"time"

	"doorstep/evidence"
	"doorstep/i18n"
)

//go:embed pack.html
var packHTML string

//go:embed pack.css
var packCSS string

var packPage = template.Must(template.New("pack").Parse(packHTML))

// packPolicy lets the page use its own style, which is in it so that a saved copy
// still prints well, and nothing else.
var packPolicy = func() string {
	sum := sha256.Sum256([]byte(packCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// packView is what pack.html draws.
type packView struct {
	i18n.Texts
	Lang  string
	Style template.CSS
	Pack  evidence.Pack
	zone  *time.Location
}

// PackPage draws regulators' packs with times of a zone.
func PackPage(zone *time.Location) func(evidence.Pack, i18n.Texts) (page []byte, policy string, err error) {
	return func(p evidence.Pack, texts i18n.Texts) ([]byte, string, error) {
		v := packView{Texts: texts, Lang: texts.Language.String(), Style: template.CSS(packCSS), Pack: p, zone: zone}
		var page bytes.Buffer
		if err := packPage.Execute(&page, v); err != nil {
			return nil, "", fmt.Errorf("pack: %w", err)
		}
		return page.Bytes(), packPolicy, nil
	}
}

// packTime has what tells two moments apart, and the zone.
const packTime = "2006-01-02 15:04:05 -07:00"

// Time writes a moment.
func (v packView) Time(t time.Time) string { return t.In(v.zone).Format(packTime) }

// Value writes a fact's value.
func (v packView) Value(value any) string { return valueOf(value, v.Time) }

// Event tells a line of the timeline.
func (v packView) Event(e evidence.Entry) string { return eventOf(v.Texts, e) }

// Source names whose word something is.
func (v packView) Source(s evidence.Source) string { return sourceOf(v.Texts, s) }

// packList is a list beside what draws it.
type packList struct {
	packView
	List any
}

// With hands a list to a part of the page.
func (v packView) With(list any) packList { return packList{v, list} }
