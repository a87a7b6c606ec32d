package api

import (
	"golang.org/x/text/language"

	"doorstep/i18n"
	"doorstep/parcels"
)

// missingConsent is one thing that a refused sign-for lacks.
type missingConsent struct {
	What   parcels.Missing `json:"what"`
	Method parcels.Method  `json:"method"`
	Text   string          `json:"text"`
}

// nextStep is what the courier can do about it. Method and Path are of the
// request that does it, if one does.
type nextStep struct {
	Step   parcels.NextStep `json:"step"`
	Method string           `json:"method,omitempty"`
	Path   string           `json:"path,omitempty"`
	Text   string           `json:"text"`
}

// stepPaths are the requests behind the steps, below the parcel's own path.
var stepPaths = map[parcels.NextStep]string{
	parcels.StepPhoto: "/sign-for", parcels.StepPickupCode: "/sign-for", parcels.StepCall: "/calls",
	parcels.StepPreContact: "/pre-contact", parcels.StepReturn: "/attempts",
}

func missingConsents(e *parcels.ConsentRequiredError, lang language.Tag) []missingConsent {
	texts := i18n.For(lang.String())
	list := make([]missingConsent, len(e.Missing))
	for i, what := range e.Missing {
		key := "missing." + string(what)
		if what == parcels.MissingConsent {
			key += "_" + string(e.Method)
		}
		list[i] = missingConsent{What: what, Method: e.Method, Text: texts.Text(key)}
	}
	return list
}

func nextSteps(e *parcels.ConsentRequiredError, lang language.Tag) []nextStep {
	texts := i18n.For(lang.String())
	var list []nextStep
	for _, step := range e.NextSteps() {
		next := nextStep{Step: step, Text: texts.Text("step." + string(step))}
		if below, ok := stepPaths[step]; ok {
			next.Method, next.Path = "POST", "/v1/parcels/"+string(e.Waybill)+below
		}
		list = append(list, next)
	}
	return list
}
