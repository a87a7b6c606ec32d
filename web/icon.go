package web

import (
	"html/template"
	"strings"
	"sync"
)

// icons are drawn on 20 by 20, in the colour of the words beside them, which say
// the same: an icon alone says nothing.
var icons = map[string]template.HTML{
	"alarm":  `<path d="M10 3 18 17H2Z"/><path d="M10 8v4M10 14.5v.1"/>`,
	"check":  `<path d="m4 10.5 4 4 8-9"/>`,
	"clock":  `<circle cx="10" cy="10" r="7"/><path d="M10 6v4l3 2"/>`,
	"cross":  `<path d="m5 5 10 10M15 5 5 15"/>`,
	"lock":   `<rect x="4" y="9" width="12" height="8" rx="2"/><path d="M7 9V6a3 3 0 0 1 6 0v3"/>`,
	"pause":  `<path d="M7 5v10M13 5v10"/>`,
	"query":  `<circle cx="10" cy="10" r="7"/><path d="M8 8.2a2 2 0 1 1 2.8 1.9c-.6.3-.8.6-.8 1.2M10 14v.1"/>`,
	"repeat": `<path d="M4 9a6 6 0 0 1 10.5-3L16 7.5M16 4v3.5h-3.5M16 11a6 6 0 0 1-10.5 3L4 12.5M4 16v-3.5h3.5"/>`,
	"seal":   `<path d="M10 2.5 16 5v5c0 4-2.5 6.3-6 7.5C6.5 16.3 4 14 4 10V5Z"/><path d="m7.3 10 2 2 3.5-4"/>`,
}

// mark is the house's sign, in the page itself: an image of its own would be one
// more request, and a document of its own to the browser.
var mark = sync.OnceValue(func() template.HTML {
	sign, err := files.ReadFile("assets/icon.svg")
	must(err)
	return template.HTML(strings.Replace(string(sign), "<svg ", `<svg class="mark" aria-hidden="true" focusable="false" `, 1))
})

// icon draws one, for the eye alone.
func icon(name string) template.HTML {
	return `<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">` + icons[name] + `</svg>`
}
