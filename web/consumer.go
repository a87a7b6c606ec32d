package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/access"
	"doorstep/complaints"
	"doorstep/i18n"
	"doorstep/prefs"
)

var consumerPage = template.Must(template.ParseFS(files, "consumer.html"))

// consumer draws the page of a consumer's link.
type consumer struct{ tokens Tokens }

// wishGroups are the tags in the order in which the page offers them.
var wishGroups = []struct {
	Key  string
	Tags []prefs.Tag
}{
	{"page.group_place", []prefs.Tag{
		prefs.ToDoor, prefs.NoLocker, prefs.NoPickupPoint, prefs.LockerOK, prefs.PickupPointOK, prefs.LeaveAtDoorOK,
	}},
	{"page.group_before", []prefs.Tag{prefs.CallFirst, prefs.MessageFirst, prefs.NoCall, prefs.NoDoorbell}},
	{"page.group_time", []prefs.Tag{prefs.EveningOnly, prefs.DaytimeOnly, prefs.WeekendOnly, prefs.NoWeekend}},
	{"page.group_hands", []prefs.Tag{
		prefs.SignInPerson, prefs.FamilyMaySign, prefs.PhotoProof, prefs.FragileCare, prefs.NoThrowing, prefs.DogOrChildAtHome,
	}},
}

// scriptTexts are the texts that only the script shows.
var scriptTexts = []string{
	"page.on", "page.asked", "page.off", "page.said", "page.forgotten", "page.learned", "page.guessed", "page.fades", "page.ask_again", "page.opposite", "page.one_parcel", "page.one_address",
	"page.confirm", "page.remove", "page.nothing_known", "page.no_complaints", "page.saved", "page.filed", "page.merged",
	"page.promise", "page.nothing_learned", "page.taught", "page.answer_by", "page.expired", "page.no_parcel", "page.unreachable", "page.too_much",
}

// view is what consumer.html draws.
type view struct {
	i18n.Texts
	Lang, Other string // languages: the page's, and the one to switch to
	Known       bool   // the link holds
	Person      bool   // it speaks for the person, not for one parcel
	Waybill     doorstep.Waybill
	Groups      []wishGroup
	ScriptTexts map[string]string
}

type wishGroup struct {
	Title  string
	Wishes []wish
}

type wish struct {
	Tag       prefs.Tag
	Text      string
	Opposites string // tag codes, for the script
}

// page draws GET /p/{token}. It changes nothing: a link is opened by previews
// and scanners before its owner sees it.
func (p consumer) page(c echo.Context) error {
	actor, err := p.tokens.Authenticate(c.Request().Context(), c.Param("token"))
	if err != nil && !errors.Is(err, access.ErrUnknown) {
		return fmt.Errorf("consumer's page: %w", err)
	}
	v := newView(textsOf(c))
	if err == nil && actor.Role == doorstep.RoleConsumer {
		v.Known, v.Person, v.Waybill = true, actor.IsPerson(), actor.Waybill
	}
	var page bytes.Buffer
	if err := consumerPage.Execute(&page, v); err != nil {
		return fmt.Errorf("consumer's page: %w", err)
	}
	private(c, policy, v.Lang)
	if !v.Known {
		return c.HTMLBlob(http.StatusNotFound, page.Bytes())
	}
	return c.HTMLBlob(http.StatusOK, page.Bytes())
}

func newView(texts i18n.Texts) view {
	v := view{Texts: texts, Lang: texts.Language.String(), Other: otherThan(texts), ScriptTexts: map[string]string{}}
	for _, group := range wishGroups {
		g := wishGroup{Title: texts.Text(group.Key)}
		for _, tag := range group.Tags {
			var opposites []string
			for _, o := range tag.Opposites() {
				opposites = append(opposites, string(o))
			}
			g.Wishes = append(g.Wishes, wish{Tag: tag, Text: texts.Wish(tag), Opposites: strings.Join(opposites, " ")})
			v.ScriptTexts["wish."+string(tag)] = texts.Wish(tag)
		}
		v.Groups = append(v.Groups, g)
	}
	for _, key := range scriptTexts {
		v.ScriptTexts[key] = texts.Text(key)
	}
	for _, category := range complaints.Categories {
		key := "category." + string(category)
		v.ScriptTexts[key] = texts.Text(key)
	}
	for _, status := range complaints.Statuses {
		key := "status." + string(status)
		v.ScriptTexts[key] = texts.Text(key)
	}
	return v
}

// WaybillEnd is how the page names the parcel.
func (v view) WaybillEnd() string { return v.Waybill.LastFour() }
