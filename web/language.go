package web

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep/i18n"
)

// languageCookie keeps the language that a reader chose.
const languageCookie = "doorstep_lang"

// chosenFor is how long the choice is kept: as long as browsers allow.
const chosenFor = 400 * 24 * time.Hour

// languageLink leads to the same page in another language.
type languageLink struct {
	Lang, Name, URL string
}

// names of the languages, each in itself.
var names = map[string]string{"zh-CN": "中文", "en": "English"}

// textsOf speaks the reader's language: the one that the address asks for, else
// the one chosen before, else the browser's.
func textsOf(c echo.Context) i18n.Texts {
	chosen := ""
	if cookie, err := c.Cookie(languageCookie); err == nil {
		chosen = cookie.Value
	}
	return i18n.For(c.QueryParam("lang"), chosen, c.Request().Header.Get("Accept-Language"))
}

// languagesOf are the languages to switch to. A page that answers what somebody
// sent has none: its address may not be one to ask for.
func languagesOf(c echo.Context, now i18n.Texts) (links []languageLink) {
	if c.Request().Method != http.MethodGet {
		return nil
	}
	query := c.Request().URL.Query()
	for _, language := range i18n.Languages {
		if language == now.Language {
			continue
		}
		lang := language.String()
		query.Set("lang", lang)
		links = append(links, languageLink{Lang: lang, Name: names[lang], URL: "?" + query.Encode()})
	}
	return links
}

// rememberLanguage has the browser keep the language that the address asks for.
// The server keeps nothing.
func (h *house) rememberLanguage(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.QueryParam("lang") != "" {
			c.SetCookie(&http.Cookie{
				Name: languageCookie, Value: textsOf(c).Language.String(), Path: "/", MaxAge: int(chosenFor.Seconds()),
				HttpOnly: true, Secure: h.Jar.Secure(), SameSite: http.SameSiteLaxMode,
			})
		}
		return next(c)
	}
}
