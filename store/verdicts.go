package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/prefs"
)

// addEvidence keeps signs of what a consumer wants. What is there already stays;
// of what there is too much of a tag, the oldest goes.
func addEvidence(tx *Tx, consumer doorstep.ConsumerID, list []prefs.Evidence) error {
	if err := insertSigns(tx, consumer, list); err != nil {
		return err
	}
	return trimSigns(tx, consumer, list)
}

func insertSigns(tx *Tx, consumer doorstep.ConsumerID, list []prefs.Evidence) error {
	rows := make([][]any, len(list))
	for i, e := range list {
		sign := e.Sign
		if sign == "" {
			sign = prefs.Complained
		}
		rows[i] = []any{consumer, e.Tag, e.SourceID, e.Category, e.AddressID, e.Weight, ms(e.At), sign, e.Waybill, e.By}
	}
	err := tx.insert(`insert into tag_evidence (consumer_id, tag, source_id, category, address_id, weight, at_ms, sign, waybill, person)`,
		`on conflict (consumer_id, tag, source_id) do nothing`, rows)
	if err != nil {
		return fmt.Errorf("evidence of wishes: %w", err)
	}
	return nil
}

// trimSigns deletes the oldest signs of a tag beside those of the list, of which
// there are more than are kept.
func trimSigns(tx *Tx, consumer doorstep.ConsumerID, list []prefs.Evidence) error {
	for _, e := range list {
		alike := `sign <> 'complaint'` // apart, so that clicks do not push words out
		if e.Sign == "" || e.Sign == prefs.Complained {
			alike = `sign = 'complaint'`
		}
		err := tx.exec(`delete from tag_evidence where consumer_id = ? and tag = ? and `+alike+` and source_id not in (
  select source_id from tag_evidence where consumer_id = ? and tag = ? and `+alike+` order by at_ms desc, source_id desc limit ?)`,
			consumer, e.Tag, consumer, e.Tag, prefs.MostKept)
		if err != nil {
			return fmt.Errorf("old evidence of wishes: %w", err)
		}
	}
	return nil
}

// addAgreements notes consents for one parcel as weak signs against what was
// learned and they are the opposite of. It says whether there was any such thing.
func addAgreements(tx *Tx, consumer doorstep.ConsumerID, consents []prefs.Consent) (any bool, err error) {
	var list []prefs.Evidence
	for _, c := range consents {
		if c.Scope.Waybill() == "" {
			continue
		}
		for _, tag := range c.Kind.Contradicts() {
			list = append(list, prefs.Evidence{
				Tag: tag, Sign: prefs.AgreedOnce, SourceID: "agreed:" + c.Scope.Waybill(), Waybill: c.Scope.Waybill(),
				Weight: prefs.AgreedWeight, At: c.GivenAt,
			})
		}
	}
	if len(list) == 0 {
		return false, nil
	}
	// Without a complaint before it there is nothing that it could speak against,
	// and the first complaint after it must teach at once.
	var taught []prefs.Tag
	if err := tx.list(&taught, `select distinct tag from tag_evidence where consumer_id = ? and sign = 'complaint'`, consumer); err != nil {
		return false, fmt.Errorf("evidence of wishes: %w", err)
	}
	list = slices.DeleteFunc(list, func(e prefs.Evidence) bool { return !slices.Contains(taught, e.Tag) })
	return len(list) > 0, addEvidence(tx, consumer, list)
}

// Judged finds a parcel whose tags the caller may judge.
func (db *DB) Judged(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) (j prefs.Judged, err error) {
	where := newFilter("outlet_no = ? and waybill = ?", 0, w)
	outlets := []doorstep.OutletNo{}
	switch a.Role {
	case doorstep.RoleCourier:
		if j.CourierNo, err = db.courierNo(ctx, a); err != nil {
			return j, fmt.Errorf("courier: %w", err)
		}
		if outlets, err = db.outletsOf(ctx, j.CourierNo); err != nil {
			return j, fmt.Errorf("courier's outlets: %w", err)
		}
		where.and("courier_no = ?", j.CourierNo)
	case doorstep.RoleManager:
		scope, err := db.scope(ctx, a)
		if err != nil {
			return j, err
		}
		for _, no := range scope {
			outlets = append(outlets, doorstep.OutletNo(no))
		}
	}
	var latest int64
	for _, outlet := range outlets {
		where.args[0] = outlet
		var row struct {
			Consumer doorstep.ConsumerID `db:"consumer_id"`
			AtMS     int64               `db:"dispatched_at_ms"`
		}
		err := db.get(ctx, &row, `select consumer_id, dispatched_at_ms from dispatch where `+where.text+` order by dispatched_at_ms desc limit 1`, where.args...)
		if errors.Is(err, sql.ErrNoRows) || err == nil && row.AtMS < latest {
			continue
		}
		if err != nil {
			return j, fmt.Errorf("judged parcel: %w", err)
		}
		latest, j.Outlet, j.Consumer = row.AtMS, outlet, row.Consumer
	}
	if j.Outlet == 0 {
		return j, doorstep.NotFound("parcel", string(w))
	}
	// A parcel that was dispatched to somebody else since has another address.
	err = db.get(ctx, &j.AddressID, `select address_id from parcel where outlet_no = ? and waybill = ? and consumer_id = ?`, j.Outlet, w, j.Consumer)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return j, fmt.Errorf("judged parcel: %w", err)
	}
	where.args[0] = j.Outlet
	var told []string
	err = db.list(ctx, &told, `with recursive told (alert_id) as (
  select coalesce(revised_alert_id, alert_id) from dispatch where `+where.text+`
  union
  select a.supersedes from told join alert a on a.outlet_no = ? and a.id = told.alert_id)
select a.tags from told join alert a on a.outlet_no = ? and a.id = told.alert_id`, append(where.args, j.Outlet, j.Outlet)...)
	if err != nil {
		return j, fmt.Errorf("what was told of a parcel: %w", err)
	}
	for _, tags := range told {
		j.Told = append(j.Told, splitTags(tags)...)
	}
	return j, nil
}

type verdictRow struct {
	Verdict prefs.Verdict
	Counted int
	AtMS    int64 `db:"at_ms"`
}

// AddVerdict keeps what somebody says of a tag.
func (db *DB) AddVerdict(ctx context.Context, a doorstep.Actor, o prefs.Opinion) (since time.Time, paused bool, err error) {
	facts, err := db.sealFacts([]evidence.Fact{o.Fact})
	if err != nil {
		return since, false, err
	}
	// Nobody who reads a consumer's data learns who judged his tags.
	person := db.vault.Hash("verdict", fmt.Sprintf("%d|%s|%s|%s", a.Company, a.Role, a.Courier, a.Subject))
	err = db.inTx(ctx, func(tx *Tx) error {
		since, paused = o.At, false
		if err := tx.exec(touchConsumer, o.Consumer, a.Company, ms(o.At)); err != nil {
			return err
		}
		var was verdictRow
		err := tx.get(&was, `select verdict, counted, at_ms from tag_verdict where consumer_id = ? and tag = ? and person = ? and waybill = ?`,
			o.Consumer, o.Tag, person, o.Waybill)
		switch {
		case err == nil && was.Verdict == o.Verdict:
			since = fromMS(was.AtMS)
			return nil
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return err
		}
		counted := 0
		if o.Learned {
			counted = 1
		}
		err = tx.exec(`insert into tag_verdict (consumer_id, tag, person, waybill, verdict, counted, at_ms) values (?, ?, ?, ?, ?, ?, ?)
on conflict (consumer_id, tag, person, waybill) do update set verdict = excluded.verdict, counted = excluded.counted, at_ms = excluded.at_ms`,
			o.Consumer, o.Tag, person, o.Waybill, o.Verdict, counted, ms(o.At))
		if err != nil {
			return err
		}
		if err := addFacts(tx, facts); err != nil {
			return err
		}
		if paused, err = countVerdict(tx, a.Company, o, was); err != nil {
			return err
		}
		learned, err := addVerdictEvidence(tx, o, person)
		if err != nil || !learned {
			return err
		}
		return db.wishesChanged(tx, o.Consumer, "", ms(o.At))
	})
	if err != nil {
		return since, false, fmt.Errorf("verdict: %w", err)
	}
	return since, paused, nil
}

// addVerdictEvidence puts a verdict among the signs of what the consumer wants,
// in the place of the same person's on the same parcel. It says whether the signs
// changed.
func addVerdictEvidence(tx *Tx, o prefs.Opinion, person string) (changed bool, err error) {
	var learning bool
	if err := tx.get(&learning, `select learning from consumer where consumer_id = ?`, o.Consumer); err != nil {
		return false, err
	}
	source := "verdict:" + person + ":" + string(o.Waybill)
	gone, err := tx.changed(`delete from tag_evidence where consumer_id = ? and tag = ? and source_id = ?`, o.Consumer, o.Tag, source)
	if err != nil || !o.Learned || !learning {
		return gone > 0, err
	}
	sign, weight := o.Verdict.Evidence()
	if sign == prefs.MarkedRight { // more would count for nothing
		var recent int
		err := tx.get(&recent, `select count(*) from tag_evidence where consumer_id = ? and tag = ? and sign = ? and person = ? and at_ms > ?`,
			o.Consumer, o.Tag, sign, person, ms(o.At.Add(-prefs.VerdictWindow)))
		if err != nil || recent > 0 {
			return gone > 0, err
		}
	}
	return true, addEvidence(tx, o.Consumer, []prefs.Evidence{{
		Tag: o.Tag, Sign: sign, SourceID: source, Waybill: string(o.Waybill), AddressID: o.AddressID, By: person, Weight: weight, At: o.At,
	}})
}

type learningRow struct {
	Tag      prefs.Tag
	Verdicts int
	Wrong    int
	SinceMS  int64         `db:"since_ms"`
	PausedMS sql.NullInt64 `db:"paused_at_ms"`
}

func (r learningRow) learning() prefs.Learning {
	return prefs.Learning{Tag: r.Tag, Verdicts: r.Verdicts, Wrong: r.Wrong, PausedAt: fromNullMS(r.PausedMS)}
}

// countVerdict moves the company's running count on and pauses the tag's
// learning if too much was wrong.
func countVerdict(tx *Tx, company doorstep.CompanyNo, o prefs.Opinion, was verdictRow) (paused bool, err error) {
	if !o.Learned && was.Counted == 0 {
		return false, nil
	}
	var row learningRow
	// The update that changes nothing orders, on PostgreSQL, two who count.
	err = tx.get(&row, `insert into tag_learning (company_no, tag, verdicts, wrong, since_ms) values (?, ?, 0, 0, ?)
on conflict (company_no, tag) do update set verdicts = tag_learning.verdicts returning tag, verdicts, wrong, since_ms, paused_at_ms`,
		company, o.Tag, ms(o.At))
	if err != nil {
		return false, fmt.Errorf("count of verdicts: %w", err)
	}
	if was.Counted == 1 && was.AtMS >= row.SinceMS {
		row.Verdicts--
		row.Wrong -= wrongOf(was.Verdict)
	}
	if o.Learned {
		row.Verdicts++
		row.Wrong += wrongOf(o.Verdict)
	}
	if paused = !row.PausedMS.Valid && row.learning().Fails(); paused {
		row.PausedMS = sql.NullInt64{Int64: ms(o.At), Valid: true}
	}
	return paused, tx.exec(`update tag_learning set verdicts = ?, wrong = ?, paused_at_ms = ? where company_no = ? and tag = ?`,
		row.Verdicts, row.Wrong, row.PausedMS, company, o.Tag)
}

func wrongOf(v prefs.Verdict) int {
	if v == prefs.Wrong {
		return 1
	}
	return 0
}

// Learning lists how the tags of which there are verdicts do.
func (db *DB) Learning(ctx context.Context, company doorstep.CompanyNo) ([]prefs.Learning, error) {
	var rows []learningRow
	err := db.list(ctx, &rows, `select tag, verdicts, wrong, since_ms, paused_at_ms from tag_learning where company_no = ? order by tag`, company)
	if err != nil {
		return nil, fmt.Errorf("learning: %w", err)
	}
	list := make([]prefs.Learning, len(rows))
	for i, r := range rows {
		list[i] = r.learning()
	}
	return list, nil
}

// ResumeLearning lets a paused tag be learned again and begins its count anew.
func (db *DB) ResumeLearning(ctx context.Context, company doorstep.CompanyNo, tag prefs.Tag, at time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		return tx.exec(`update tag_learning set verdicts = 0, wrong = 0, since_ms = ?, paused_at_ms = null
where company_no = ? and tag = ? and paused_at_ms is not null`, ms(at), company, tag)
	})
}

var _ prefs.VerdictStore = (*DB)(nil)
