package web

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"doorstep"
	"doorstep/i18n"
	"doorstep/parcels"
)

// parcelView is where a parcel is, in words.
type parcelView struct {
	Waybill  doorstep.Waybill
	Now      string // the headline
	Since    string
	Notes    []string // what the headline means
	Alarming bool     // it was left somewhere, and nobody had asked
	Steps    []step   // the newest first
}

// step is one thing that happened to a parcel or a complaint.
type step struct {
	At    string
	What  string
	Where string
	Words string // what somebody wrote
	By    string // consumer or outlet, of words

	at time.Time
}

// parcel is what GET /v1/parcels/{waybill} tells a consumer.
func (p consumer) parcel(c echo.Context, h holder, waybill string) (parcelView, error) {
	found, history, err := p.Own.Parcels.Parcel(c.Request().Context(), h.Actor, waybill)
	if err != nil {
		return parcelView{}, err
	}
	texts := textsOf(c)
	v := parcelView{Waybill: found.Waybill}
	for _, s := range history.Sightings {
		v.Steps = append(v.Steps, step{at: s.At, What: texts.Text("parcel_status." + string(s.Status)), Where: cmp.Or(s.OutletName, s.OutletID)})
	}
	if !history.DispatchedAt.IsZero() {
		v.Steps = append(v.Steps, step{at: history.DispatchedAt, What: texts.Text("parcel_status.out_for_delivery")})
	}
	for _, a := range history.Attempts {
		v.Steps = append(v.Steps, step{at: a.At, What: texts.Text("track.attempt"), Where: texts.Text("attempt." + cmp.Or(a.Reason, "other"))})
	}
	signed, isSigned := history.Standing()
	if isSigned {
		v.Steps = append(v.Steps, step{at: signed.At, What: texts.Text("track." + string(signed.Method)), Where: signed.Facility})
	}
	p.newestFirst(c, v.Steps)
	v.headline(texts, signed, isSigned, history)
	return v, nil
}

// newestFirst puts steps, which stand in the order of a parcel's or a complaint's
// way, in the order in which they are read, and dates them.
func (p consumer) newestFirst(c echo.Context, steps []step) {
	slices.Reverse(steps)
	slices.SortStableFunc(steps, func(a, b step) int { return b.at.Compare(a.at) })
	for i := range steps {
		steps[i].At = p.moment(c, steps[i].at)
	}
}

// headline says how things stand. That a parcel lies somewhere does not say that
// anybody has it.
func (v *parcelView) headline(texts i18n.Texts, signed parcels.SignFor, isSigned bool, history parcels.History) {
	v.Now = texts.Text("track.announced")
	if len(v.Steps) > 0 {
		v.Now, v.Since = v.Steps[0].What, v.Steps[0].At
	}
	if isSigned {
		v.Now, v.Since = texts.Text("track."+string(signed.Method)), ""
		for _, s := range v.Steps {
			if s.at.Equal(signed.At) {
				v.Since = s.At
			}
		}
		if _, needsConsent := signed.Method.Needs(); needsConsent {
			v.Notes = append(v.Notes, texts.Text("track.not_receipt"))
		}
		if v.Alarming = signed.Ground == parcels.ByOverride; v.Alarming {
			v.Notes = append(v.Notes, texts.Text("signed.without_consent"))
		}
		return
	}
	if tally := history.Tally(); tally.Counted > 0 {
		v.Notes = append(v.Notes, texts.Fill("track.tally", "made", strconv.Itoa(tally.Counted), "left", strconv.Itoa(tally.FreeLeft)))
	}
}
