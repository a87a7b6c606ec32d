package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"doorstep"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/feed"
	"doorstep/prefs"
)

// File keeps an intake: complaint, lessons and fact commit together. While a
// complaint about the same parcel and category is open, at whichever outlet, the
// text is added to it instead.
func (db *DB) File(ctx context.Context, c complaints.Intake) (complaints.Complaint, error) {
	comp := c.Complaint
	row, err := db.complaintColumns(c.Complaint)
	if err != nil {
		return complaints.Complaint{}, err
	}
	sealed, err := db.sealFacts([]evidence.Fact{c.Fact})
	if err != nil {
		return complaints.Complaint{}, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		comp = c.Complaint
		// Two filings about one consumer wait for each other here.
		if err := tx.exec(touchConsumer, comp.Consumer, comp.Company, ms(comp.ReceivedAt)); err != nil {
			return err
		}
		var known prefs.Profile
		if len(c.Lessons) > 0 {
			profiles, err := db.profiles(tx.list, []doorstep.ConsumerID{comp.Consumer})
			if err != nil {
				return err
			}
			known = profiles[comp.Consumer]
		}
		lessons := taughtBy(known, &comp, c.Lessons)
		open, later, err := findOtherComplaints(tx, &comp)
		if err != nil {
			return err
		}
		if open != nil {
			added, err := db.merge(tx, &comp, c, *open)
			if err != nil || !added {
				return err
			}
		} else {
			row["learned"], row["repeat_of"], row["follows"] = joinTags(comp.Learned), comp.RepeatOf, comp.Follows
			if err := addComplaint(tx, row); err != nil {
				return err
			}
			if err := db.markFiled(tx, comp, later); err != nil {
				return err
			}
			if err := db.report(tx, comp, feed.ComplaintFiled, nil); err != nil {
				return err
			}
		}
		if err := db.addReporter(tx, comp, c); err != nil {
			return err
		}
		facts := sealed
		if comp.Merged {
			fact := c.Fact
			fact.ComplaintID = comp.ID
			if comp.Outlet != fact.Outlet {
				fact.Outlet, fact.ID = comp.Outlet, db.newID(comp.Outlet)
			}
			if facts, err = db.sealFacts([]evidence.Fact{fact}); err != nil {
				return err
			}
		}
		if err := addFacts(tx, facts); err != nil {
			return err
		}
		if len(lessons) == 0 {
			return nil
		}
		if known, err = addLessons(tx, comp, lessons, known); err != nil {
			return err
		}
		if c.Inquiry != nil {
			inquiry := *c.Inquiry
			for _, e := range lessons {
				if e.Weight > 0 {
					inquiry.Taught = append(inquiry.Taught, e.Tag)
				}
			}
			if err := db.ask(tx, inquiry, known); err != nil {
				return fmt.Errorf("ask: %w", err)
			}
		}
		return db.wishesChanged(tx, comp.Consumer, comp.Waybill, ms(comp.ReceivedAt))
	})
	if err != nil {
		return complaints.Complaint{}, fmt.Errorf("file complaint: %w", err)
	}
	return comp, nil
}

// taughtBy leaves out the lessons that are not to be learned, takes the weight
// from those that the company has paused, which still speak against a permission,
// and notes on the complaint what is learned.
func taughtBy(known prefs.Profile, comp *complaints.Complaint, lessons []prefs.Evidence) []prefs.Evidence {
	if known.LearningOff {
		return nil
	}
	lessons = slices.Clone(lessons) // the transaction may be tried again
	for i := range lessons {
		if slices.Contains(known.Paused, lessons[i].Tag) {
			lessons[i].Weight = 0
		}
		if lessons[i].Weight > 0 {
			comp.Learned = append(comp.Learned, lessons[i].Tag)
		}
	}
	return lessons
}

// complaintKey finds a complaint's row.
type complaintKey struct {
	Outlet doorstep.OutletNo `db:"outlet_no"`
	ID     string
}

// findOtherComplaints looks through what the consumer complained of lately: it
// sets what this one repeats, of the same category, and follows, of any, and finds
// the one that is open about the same, and when those were filed, by outlet, that
// may repeat this one: an import brings what is past.
func findOtherComplaints(tx *Tx, c *complaints.Complaint) (open *complaintKey, later map[doorstep.OutletNo][]any, err error) {
	var list []struct {
		complaintKey
		KnownAs  string `db:"known_as"`
		Waybill  doorstep.Waybill
		Category complaints.Category
		Status   complaints.Status
		FiledMS  int64 `db:"filed_at_ms"`
	}
	filed := ms(c.FiledAt)
	since := filed - complaints.RepeatWindow.Milliseconds()
	err = tx.list(&list, `select outlet_no, id, known_as, waybill, category, status, filed_at_ms from complaint
where consumer_id = ? and (filed_at_ms >= ? or waybill = ?) and status <> '`+movedStatus+`' order by filed_at_ms desc, id desc`, c.Consumer, since, c.Waybill)
	if err != nil {
		return nil, nil, fmt.Errorf("other complaints: %w", err)
	}
	for _, e := range list {
		if e.Waybill == c.Waybill && e.Category == c.Category && e.Status.IsOpen() {
			return &e.complaintKey, nil, nil
		}
	}
	later = map[doorstep.OutletNo][]any{}
	for _, e := range list {
		if e.FiledMS > filed && e.FiledMS <= filed+complaints.RepeatWindow.Milliseconds() {
			later[e.Outlet] = append(later[e.Outlet], e.FiledMS)
		}
		if e.FiledMS > filed || e.FiledMS < since {
			continue
		}
		if c.Follows == "" {
			c.Follows = cmp.Or(e.KnownAs, e.ID)
		}
		if c.RepeatOf == "" && e.Category == c.Category {
			c.RepeatOf = cmp.Or(e.KnownAs, e.ID)
		}
	}
	return nil, later, nil
}

// merge turns the new complaint into an addition to the one that is open. False
// means that the same words were there already and nothing was added.
func (db *DB) merge(tx *Tx, comp *complaints.Complaint, c complaints.Intake, open complaintKey) (added bool, err error) {
	row, err := db.lockComplaint(tx, open)
	if err != nil {
		return false, err
	}
	said, _, err := db.said(row, tx.list)
	if err != nil {
		return false, err
	}
	learned, text := comp.Learned, c.Complaint.Text
	*comp, err = row.complaint()
	if err != nil {
		return false, err
	}
	comp.Merged, comp.Text = true, strings.Join(said, "\n")
	if slices.Contains(said, text) {
		return false, nil
	}
	for _, tag := range learned {
		if !slices.Contains(comp.Learned, tag) {
			comp.Learned = append(comp.Learned, tag)
		}
	}
	comp.Text += "\n" + text
	return true, db.keepChange(tx, comp, comp.Hear(c.MessageID, text, c.Complaint.ReceivedAt))
}

// addReporter keeps who told an integrator.
func (db *DB) addReporter(tx *Tx, comp complaints.Complaint, c complaints.Intake) error {
	if c.Reporter == nil {
		return nil
	}
	plain, err := json.Marshal(c.Reporter)
	if err != nil {
		return err
	}
	body, err := db.vault.Seal(plain, complaintPlace("complaint_reporter", comp.Outlet, c.MessageID))
	if err != nil {
		return err
	}
	return tx.exec(`insert into complaint_reporter (outlet_no, complaint_id, id, channel, body, at_ms) values (?, ?, ?, ?, ?, ?)`,
		comp.Outlet, comp.RowID, c.MessageID, c.Complaint.Channel, body, ms(c.Complaint.ReceivedAt))
}

// addLessons keeps what a complaint taught: each tag once, however often the
// complaint is added to. It gives what is known of the consumer then.
func addLessons(tx *Tx, comp complaints.Complaint, lessons []prefs.Evidence, known prefs.Profile) (prefs.Profile, error) {
	for i := range lessons {
		lessons[i].SourceID, lessons[i].Waybill = comp.ID, string(comp.Waybill)
	}
	for _, e := range lessons {
		if !slices.ContainsFunc(known.Evidence, func(k prefs.Evidence) bool { return k.Tag == e.Tag && k.SourceID == e.SourceID }) {
			known.Evidence = append(known.Evidence, e)
		}
	}
	if err := insertSigns(tx, comp.Consumer, lessons); err != nil || len(known.Evidence) <= prefs.MostKept {
		return known, err
	}
	return known, trimSigns(tx, comp.Consumer, lessons)
}
