package sink

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page draws the phones with their banners.
func (s *Sink) page(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	received, total := s.messages.after(0, keep), s.messages.total
	s.mu.Unlock()
	speech := wordsFor(r.Header.Get("Accept-Language"))
	var page bytes.Buffer
	err := pageTemplate.Execute(&page, map[string]any{
		"Words": speech, "Phones": phones(received, speech), "Total": total,
	})
	if err != nil {
		fail(w, http.StatusInternalServerError, "the page cannot be drawn")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", speech.Lang)
	h.Set("Vary", "Accept-Language")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = page.WriteTo(w) // the client has gone
}
