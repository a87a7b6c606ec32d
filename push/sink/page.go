package sink

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
)

//go:embed page.html page.css page.js icon.svg
var files embed.FS

var pageTemplate = template.Must(template.ParseFS(files, "page.html"))

// policy lets the page load its own parts, speak to its own sink, and nothing
// else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// page draws the phones with their banners; its script keeps them up to date.
func (s *Sink) page(w http.ResponseWriter, r *http.Request) { s.draw(w, r, "page.html") }

// phones is the part of the page that changes: GET /_sink/phones.
func (s *Sink) phones(w http.ResponseWriter, r *http.Request) { s.draw(w, r, "phones") }

func (s *Sink) draw(w http.ResponseWriter, r *http.Request, part string) {
	speech := wordsFor(r.FormValue("lang"), r.Header.Get("Accept-Language"))
	s.mu.Lock()
	scene := map[string]any{
		"Words": speech, "Phones": s.drawPhones(speech), "Place": s.events.last, "Host": r.Host,
	}
	s.mu.Unlock()
	var text bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&text, part, scene); err != nil {
		fail(w, http.StatusInternalServerError, "the page cannot be drawn")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", speech.Lang)
	h.Set("Vary", "Accept-Language")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	_, _ = text.WriteTo(w) // the client has gone
}

// asset serves an embedded file. It is asked for again at every visit: the page
// and its script must be of one version.
func asset(name, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		content, err := files.ReadFile(name)
		if err != nil {
			fail(w, http.StatusNotFound, "no such file")
			return
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(content) // the client has gone
	}
}
