package web

import (
	"cmp"
	"fmt"
	"time"

	"doorstep/evidence"
	"doorstep/i18n"
)

// eventOf tells a line of a timeline; of a complaint also what it is about.
func eventOf(texts i18n.Texts, e evidence.Entry) string {
	text := texts.Event(string(e.Kind), e.Outcome)
	if e.Kind == evidence.Complaint && e.Outcome != "" {
		text += ": " + texts.Text("category."+e.Outcome)
	}
	return text
}

// sourceOf names whose word something is.
func sourceOf(texts i18n.Texts, s evidence.Source) string {
	return texts.Text("source." + cmp.Or(string(s), "none"))
}

// valueOf writes a fact's value. Of a yes or no, the fact itself says it.
func valueOf(value any, moment func(time.Time) string) string {
	switch value := value.(type) {
	case nil, bool:
		return ""
	case time.Time:
		return moment(value)
	}
	return fmt.Sprint(value)
}
