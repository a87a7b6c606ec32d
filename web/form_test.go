package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/outreach"
	"doorstep/prefs"
)

// forms knows two links, and keeps the answers that it gets.
type forms struct{ answers []string }

const (
	questionLink = "dsl_1_question"
	contactLink  = "dsl_1_contact"
)

func (f *forms) Open(_ context.Context, secret string) (outreach.Form, error) {
	switch secret {
	case questionLink:
		form := outreach.Form{Kind: outreach.TagQuestion, Waybill: "SF1234567890"}
		for i, tag := range prefs.Tags {
			form.Questions = append(form.Questions, outreach.Question{Tag: tag, Answer: []string{"", "yes", "no"}[i%3]})
		}
		return form, nil
	case contactLink:
		return outreach.Form{Kind: outreach.PreContact, Waybill: "SF1234567890", Choice: outreach.OtherTime}, nil
	}
	return outreach.Form{}, doorstep.ErrNotFound
}

func (f *forms) AnswerQuestion(_ context.Context, secret string, tag prefs.Tag, yes bool, locale string) error {
	f.answers = append(f.answers, string(tag), locale)
	return nil
}

func (f *forms) AnswerContact(_ context.Context, secret string, choice outreach.Choice, words, locale string, say func(string) string) error {
	f.answers = append(f.answers, string(choice), words, locale, say("en-GB"), say("zh-CN"))
	return nil
}

// ask opens a link in a new browser, and sends method and body to where it leads.
func (f *forms) ask(method, path, body string) *httptest.ResponseRecorder {
	p := newPages(f, nil)
	opened := p.ask(http.MethodGet, path, "")
	if to := opened.Header().Get("Location"); to != "" {
		return p.ask(method, to, body)
	}
	return opened
}

func TestFormsHaveEveryTextInBothLanguages(t *testing.T) {
	for _, lang := range []string{"zh-CN", "en"} {
		for _, link := range []string{questionLink, contactLink, "dsl_1_none"} {
			page := new(forms).ask(http.MethodGet, "/p/"+link+"?lang="+lang, "")
			require.Equal(t, lang, page.Header().Get("Content-Language"))
			require.NotRegexp(t, `[>"]\s*(page|link|shell|wish|form)\.\w`, page.Body.String())
			require.NotContains(t, page.Body.String(), "<script")
			require.NotContains(t, page.Body.String(), link, "the page holds its secret")
			require.Equal(t, "same-origin", page.Header().Get("Referrer-Policy"))
		}
		for _, choice := range outreach.Choices {
			f := &forms{}
			f.ask(http.MethodPost, "/p/"+contactLink+"?lang="+lang, "choice="+string(choice))
			require.Len(t, f.answers, 5)
			require.Equal(t, lang, f.answers[2])
			require.NotContains(t, f.answers[3]+f.answers[4], "form.", choice)
			require.NotEqual(t, f.answers[3], f.answers[4], "in the outlet's language")
		}
	}
}

func TestAnAnswerLeadsBackToTheFormSoThatReloadingSendsNothingAgain(t *testing.T) {
	f := &forms{}
	sent := f.ask(http.MethodPost, "/p/"+questionLink+"?lang=en", "tag=locker_ok&answer=yes")
	require.Equal(t, http.StatusSeeOther, sent.Code)
	require.Regexp(t, `^/p/link-[a-z2-7]{16}$`, sent.Header().Get("Location"))
	require.Equal(t, []string{"locker_ok", "en"}, f.answers)

	for _, path := range []string{"/p/" + questionLink + "?tag=locker_ok&answer=no", "/p/" + contactLink + "?choice=locker"} {
		require.Equal(t, http.StatusOK, f.ask(http.MethodGet, path, "").Code)
	}
	require.Len(t, f.answers, 2, "looking answers nothing")
}
