package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/complaints"
)

var (
	casesPage = parse("consumer-complaints.html", "consumer-case.html")
	casePage  = parse("consumer-complaint.html")
)

// caseCard is a complaint in a list.
type caseCard struct {
	complaints.Complaint
	URL     string
	Waybill doorstep.Waybill
	Outlet  string
	Promise string // by when there is an answer, or when there was
	Clock   complaints.ClockState
}

// caseView is what consumer-complaint.html draws.
type caseView struct {
	holder
	caseCard
	Steps   []step // the newest first
	Paused  string // until when at the latest; "" for no pause
	Until   string // by when the consumer may confirm or reopen
	Wishes  []string
	Filed   bool // just now
	Trouble string

	mayReopen bool
}

// Can says whether the consumer may do something to the complaint.
func (v caseView) Can(action string) bool {
	switch a := complaints.Action(action); a {
	case "message":
		return v.Status.IsOpen()
	case complaints.Reopen:
		return v.mayReopen
	default:
		return v.Status.Takes(a)
	}
}

// MaxWords is for the forms.
func (caseView) MaxWords() int { return maxWords }

// Code is the status, for a text's key.
func (v caseCard) Code() string { return string(v.Status) }

func (p consumer) card(c echo.Context, h holder, k complaints.Complaint) caseCard {
	clock := k.Period.Clock(complaints.PromiseClock)
	card := caseCard{
		Complaint: k, URL: h.At("complaints", k.ID), Waybill: k.Waybill, Outlet: cmp.Or(k.OutletName, k.OutletID),
		Promise: p.moment(c, clock.Due), Clock: clock.State(p.Own.Now()),
	}
	if !clock.MetAt.IsZero() {
		card.Promise = p.moment(c, clock.MetAt)
	}
	return card
}

// cases lists complaints; next is where the page after them begins.
func (p consumer) cases(c echo.Context, h holder, q complaints.Query) (cards []caseCard, next string, err error) {
	list, err := p.Own.Complaints.Complaints(c.Request().Context(), h.Actor, q)
	if err != nil {
		return nil, "", fmt.Errorf("complaints: %w", err)
	}
	for _, k := range list {
		cards = append(cards, p.card(c, h, k))
	}
	if len(cards) == q.Limit {
		last := list[len(list)-2] // the last one only shows that there is more
		next = strconv.FormatInt(last.FiledAt.UnixMilli(), 10) + "." + last.RowID
	}
	return cards, next, nil
}

// casesView is what consumer-complaints.html draws.
type casesView struct {
	holder
	Cases []caseCard
	Next  string
}

// casesAPage is how many complaints a page lists.
const casesAPage = 20

// complaints answers GET /p/{face}/complaints.
func (p consumer) complaints(c echo.Context, h holder) error {
	q := complaints.Query{Limit: casesAPage + 1}
	if ms, id, ok := strings.Cut(c.QueryParam("after"), "."); ok {
		var err error
		if q.AfterMS, err = strconv.ParseInt(ms, 10, 64); err != nil {
			return doorstep.NotFound("page", "")
		}
		q.AfterID = id
	}
	v := casesView{holder: h}
	var err error
	if v.Cases, v.Next, err = p.cases(c, h, q); err != nil {
		return err
	}
	v.Cases = v.Cases[:min(len(v.Cases), casesAPage)]
	return p.show(c, page{Template: casesPage, Title: "page.my_complaints", View: v})
}

// complaint answers GET /p/{face}/complaints/{id}.
func (p consumer) complaint(c echo.Context, h holder) error {
	return p.drawComplaint(c, h, "", http.StatusOK)
}

func (p consumer) drawComplaint(c echo.Context, h holder, trouble string, status int) error {
	k, err := p.Own.Complaints.Complaint(c.Request().Context(), h.Actor, c.Param("id"))
	if err != nil {
		return fmt.Errorf("complaint: %w", err)
	}
	now, texts := p.Own.Now(), textsOf(c)
	v := caseView{
		holder: h, caseCard: p.card(c, h, k), Steps: p.story(c, k), Trouble: trouble, Filed: c.QueryParam("filed") != "",
		mayReopen: k.Status.Takes(complaints.Reopen) && now.Sub(k.ResolvedAt) <= complaints.ReopeningTime,
	}
	for _, tag := range k.Learned {
		v.Wishes = append(v.Wishes, texts.Wish(tag))
	}
	if pause := k.Period.Pause; pause != nil {
		v.Paused = p.moment(c, pause.Until)
	}
	switch {
	case k.Status == complaints.Answered:
		v.Until = p.moment(c, k.Period.AnsweredAt.Add(complaints.ConfirmationTime))
	case v.mayReopen:
		v.Until = p.moment(c, k.ResolvedAt.Add(complaints.ReopeningTime))
	}
	return p.ask(c, page{Template: casePage, Title: "complain.case_title", View: v, Status: status})
}

// story is what happened to a complaint, the newest first.
func (p consumer) story(c echo.Context, k complaints.Complaint) []step {
	texts, outlet := textsOf(c), cmp.Or(k.OutletName, k.OutletID)
	steps := []step{{at: k.FiledAt, What: texts.Text("story.filed"), Where: outlet, Words: k.Filed(), By: string(complaints.FromConsumer)}}
	add := func(at time.Time, key, where string) {
		steps = append(steps, step{at: at, What: texts.Text("story." + key), Where: where})
	}
	for _, m := range k.Messages {
		steps = append(steps, step{at: m.At, What: texts.Text("story.said_" + string(m.Author)), Words: m.Text, By: string(m.Author)})
	}
	if k.Period.No > 1 {
		add(k.Period.From, "opened_"+string(k.Period.OpenedBy), "")
	}
	if pause := k.Period.Pause; pause != nil {
		add(pause.From, "paused", texts.Text("pause."+string(pause.Reason)))
	}
	if !k.ResolvedAt.IsZero() {
		add(k.ResolvedAt, string(k.Status), "")
	}
	p.newestFirst(c, steps)
	return steps
}

// actOnComplaint answers POST /p/{face}/complaints/{id}: the consumer's word.
func (p consumer) actOnComplaint(c echo.Context, h holder) error {
	ctx, id, in := c.Request().Context(), c.Param("id"), c.Request().PostForm
	desk, words := p.Own.Complaints, wordsOf(in)
	var err error
	switch in.Get("action") {
	case string(complaints.Confirm):
		_, err = desk.Confirm(ctx, h.Actor, id)
	case string(complaints.Dispute):
		_, err = desk.Dispute(ctx, h.Actor, id, words)
	case string(complaints.Reopen):
		_, err = desk.Reopen(ctx, h.Actor, id, words)
	case string(complaints.Withdraw):
		_, err = desk.Withdraw(ctx, h.Actor, id)
	case "message":
		_, err = desk.Add(ctx, h.Actor, id, words)
	default:
		err = doorstep.ErrInvalid
	}
	var conflict *doorstep.ConflictError
	switch {
	case errors.Is(err, doorstep.ErrInvalid):
		return p.drawComplaint(c, h, textsOf(c).Text("complain.words_needed"), http.StatusUnprocessableEntity)
	case errors.As(err, &conflict):
		return p.drawComplaint(c, h, textsOf(c).Text("failure.conflict"), http.StatusConflict)
	case err != nil:
		return fmt.Errorf("complaint: %w", err)
	}
	return back(c, h.At("complaints", id))
}
