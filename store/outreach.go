package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"doorstep"
	"doorstep/evidence"
	"doorstep/feed"
	"doorstep/outreach"
	"doorstep/parcels"
	"doorstep/prefs"
)

// defaultLocale is of consumers whose language nobody said, at outlets that
// never said theirs.
const defaultLocale = "zh-CN"

// mail keeps a letter's link and publishes its message.
func (db *DB) mail(tx *Tx, l outreach.Letter) error {
	m := l.Message
	m.ConsumerRef = db.vault.Hash("consumer_ref", string(l.Link.Consumer))
	var locale string
	err := tx.get(&locale, `select coalesce((select nullif(locale, '') from consumer where consumer_id = ?), locale) from outlet where no = ?`,
		l.Link.Consumer, l.Link.Outlet)
	if err != nil {
		return fmt.Errorf("language: %w", err)
	}
	m.Locale = cmp.Or(locale, defaultLocale)
	object, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("message: %w", err)
	}
	return db.publish(tx, l.Link.Outlet, outgoing{
		id: m.ID, company: l.Link.Company, kind: feed.ConsumerMessage, consumer: l.Link.Consumer, object: object, sequence: 1, at: l.Link.CreatedAt,
	})
}

const insertLink = `insert into link (outlet_no, hash, kind, company_no, consumer_id, waybill, asker, day, created_at_ms, expires_at_ms, answer)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')`

func linkValues(l outreach.Link) []any {
	return []any{
		l.Outlet, l.Hash, string(l.Kind), l.Company, l.Consumer, l.Waybill, l.Asker, l.Day, ms(l.CreatedAt), ms(l.ExpiresAt),
	}
}

type questionRow struct {
	Tag       prefs.Tag
	AskedMS   int64 `db:"asked_at_ms"`
	ExpiresMS int64 `db:"expires_at_ms"`
	Answer    string
}

func questionsOf(rows []questionRow) []outreach.Question {
	list := make([]outreach.Question, len(rows))
	for i, r := range rows {
		list[i] = outreach.Question{Tag: r.Tag, AskedAt: fromMS(r.AskedMS), ExpiresAt: fromMS(r.ExpiresMS), Answer: r.Answer}
	}
	return list
}

// ask sends the questions that a complaint raises, if there are any. The
// consumer's row is locked by then: two complaints do not ask the same.
func (db *DB) ask(tx *Tx, q outreach.Inquiry, known prefs.Profile) error {
	l := q.Link
	var last []questionRow
	err := tx.list(&last, `select tag, asked_at_ms, expires_at_ms, answer from question where consumer_id = ?`, l.Consumer)
	if err != nil {
		return err
	}
	tags := q.Tags(known, questionsOf(last))
	if len(tags) == 0 {
		return nil
	}
	if err := tx.exec(insertLink, linkValues(l)...); err != nil {
		return err
	}
	rows := make([][]any, len(tags))
	for i, tag := range tags {
		rows[i] = []any{l.Consumer, tag, l.Hash, ms(l.CreatedAt), ms(l.ExpiresAt), ""}
	}
	err = tx.insert(`insert into question (consumer_id, tag, link_hash, asked_at_ms, expires_at_ms, answer)`,
		`on conflict (consumer_id, tag) do update set link_hash = excluded.link_hash, asked_at_ms = excluded.asked_at_ms,
  expires_at_ms = excluded.expires_at_ms, answer = '', answered_at_ms = null`, rows)
	if err != nil {
		return err
	}
	return db.mail(tx, q.Letter)
}

// Link finds a link and the answer that it was given.
func (db *DB) Link(ctx context.Context, outlet doorstep.OutletNo, hash string) (outreach.Link, string, error) {
	var r struct {
		Kind      string
		Company   doorstep.CompanyNo  `db:"company_no"`
		Consumer  doorstep.ConsumerID `db:"consumer_id"`
		Waybill   doorstep.Waybill
		CreatedMS int64 `db:"created_at_ms"`
		ExpiresMS int64 `db:"expires_at_ms"`
		Answer    string
	}
	err := db.get(ctx, &r, `select kind, company_no, consumer_id, waybill, created_at_ms, expires_at_ms, answer from link
where outlet_no = ? and hash = ?`, outlet, hash)
	if err != nil {
		return outreach.Link{}, "", notThere(err, "link", "by hash")
	}
	return outreach.Link{
		Outlet: outlet, Hash: hash, Kind: outreach.Kind(r.Kind), Company: r.Company, Consumer: r.Consumer, Waybill: r.Waybill,
		CreatedAt: fromMS(r.CreatedMS), ExpiresAt: fromMS(r.ExpiresMS),
	}, r.Answer, nil
}

// Questions lists what a link asks.
func (db *DB) Questions(ctx context.Context, l outreach.Link) ([]outreach.Question, error) {
	var rows []questionRow
	err := db.list(ctx, &rows, `select tag, asked_at_ms, expires_at_ms, answer from question where consumer_id = ? and link_hash = ? order by tag`,
		l.Consumer, l.Hash)
	if err != nil {
		return nil, fmt.Errorf("questions: %w", err)
	}
	return questionsOf(rows), nil
}

// AnswerQuestion keeps a consumer's word about a tag.
func (db *DB) AnswerQuestion(ctx context.Context, a doorstep.Actor, l outreach.Link, answer outreach.TagAnswer) error {
	at, word := ms(answer.At), outreach.No
	if answer.Yes {
		word = outreach.Yes
	}
	return db.answer(ctx, a, l, answer.At, answer.Locale, word, func(tx *Tx) error {
		err := tx.exec(`update question set answer = ?, answered_at_ms = ? where consumer_id = ? and tag = ? and link_hash = ?`,
			word, at, a.Consumer, answer.Tag, l.Hash)
		if err != nil {
			return err
		}
		// A second tap must not add a second consent.
		if kind, ok := answer.Tag.Allows(); ok {
			if err := db.endConsents(tx, a, prefs.Standing, kind); err != nil {
				return err
			}
		}
		if answer.Yes {
			return db.setTag(tx, a, answer.Tag, at, answer.Consent)
		}
		return db.removeTag(tx, a, answer.Tag, at)
	})
}

// AnswerContact keeps what a consumer wants done with a parcel.
func (db *DB) AnswerContact(ctx context.Context, a doorstep.Actor, l outreach.Link, answer outreach.ContactAnswer) error {
	scope, noted, at := prefs.ForParcel(string(l.Waybill)), prefs.ForAnswer(string(l.Waybill)), ms(answer.At)
	note, err := db.vault.Seal([]byte(answer.Note), notePlace(a.Consumer, noted))
	if err != nil {
		return err
	}
	facts, err := db.sealFacts([]evidence.Fact{answer.Fact})
	if err != nil {
		return err
	}
	return db.answer(ctx, a, l, answer.At, answer.Locale, string(answer.Choice), func(tx *Tx) error {
		if err := addFacts(tx, facts); err != nil {
			return err
		}
		for _, tag := range answer.Choice.Replaces() {
			if err := tx.exec(`delete from preference where consumer_id = ? and scope = ? and tag = ?`, a.Consumer, scope, tag); err != nil {
				return err
			}
			if kind, ok := tag.Allows(); ok {
				if err := db.endConsents(tx, a, scope, kind); err != nil {
					return err
				}
			}
		}
		if tag, ok := answer.Choice.Tag(); ok {
			if err := addPreferences(tx, [][]any{{a.Consumer, scope, tag, "on", at}}); err != nil {
				return err
			}
		}
		if answer.Consent != nil {
			if _, err := db.giveConsents(tx, a, *answer.Consent); err != nil {
				return err
			}
		}
		return tx.exec(`insert into preference_note (consumer_id, scope, note, set_at_ms) values (?, ?, ?, ?)
on conflict (consumer_id, scope) do update set note = excluded.note, set_at_ms = excluded.set_at_ms`, a.Consumer, noted, note, at)
	})
}

// answer keeps that a link was answered, and with it what do writes.
func (db *DB) answer(ctx context.Context, a doorstep.Actor, l outreach.Link, at time.Time, locale, word string, do func(*Tx) error) error {
	err := db.changeWishes(ctx, a, at, func(tx *Tx) error {
		if err := tx.exec(`update consumer set locale = ? where consumer_id = ?`, locale, a.Consumer); err != nil {
			return err
		}
		n, err := tx.changed(`update link set answer = ?, answered_at_ms = ?, answers = answers + 1 where outlet_no = ? and hash = ? and answers < ?`,
			word, ms(at), l.Outlet, l.Hash, outreach.MaxAnswers)
		if err != nil {
			return err
		}
		if n == 0 {
			return &doorstep.TooManyError{Code: "too_many_answers", Detail: "this link was answered too often", Wait: l.ExpiresAt.Sub(at)}
		}
		return do(tx)
	})
	if err != nil {
		return fmt.Errorf("answer of a link: %w", err)
	}
	return nil
}

// Out finds a parcel that is out today.
func (db *DB) Out(ctx context.Context, a doorstep.Actor, w doorstep.Waybill, now time.Time) (outreach.Out, error) {
	where := newFilter("company_no = ?", a.Company)
	var courierNo int64
	if a.Role == doorstep.RoleCourier {
		var err error
		if courierNo, err = db.courierNo(ctx, a); err != nil {
			return outreach.Out{}, fmt.Errorf("courier: %w", err)
		}
		where.and("no in (select outlet_no from courier_outlet where courier_no = ?)", courierNo)
	} else {
		where.and("id = ?", a.Outlet)
	}
	var outlets []struct {
		No       doorstep.OutletNo
		TimeZone string `db:"time_zone"`
	}
	if err := db.list(ctx, &outlets, `select no, time_zone from outlet where `+where.text, where.args...); err != nil {
		return outreach.Out{}, fmt.Errorf("outlets: %w", err)
	}
	for _, o := range outlets {
		zone, err := zoneOf(o.No, o.TimeZone)
		if err != nil {
			return outreach.Out{}, err
		}
		out := outreach.Out{Outlet: o.No, Waybill: w, Zone: zone, Day: parcels.Day(now, zone)}
		var r struct {
			CourierNo int64               `db:"courier_no"`
			Consumer  doorstep.ConsumerID `db:"consumer_id"`
			Flagged   bool
		}
		// Whose it is now: of couriers who had the parcel today, the last.
		err = db.get(ctx, &r, `select d.courier_no, p.consumer_id, a.id is not null as flagged
from dispatch d
join parcel p on p.outlet_no = d.outlet_no and p.waybill = d.waybill and p.courier_no = d.courier_no
left join alert a on a.outlet_no = d.outlet_no and a.id = coalesce(d.revised_alert_id, d.alert_id) and a.superseded_at_ms is null
where d.outlet_no = ? and d.waybill = ? and d.day = ? and (d.courier_no = ? or ? = 0) and p.consumer_id <> ''`, o.No, w, out.Day, courierNo, courierNo)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		out.CourierNo, out.Consumer, out.Flagged = r.CourierNo, r.Consumer, r.Flagged
		return out, err
	}
	return outreach.Out{}, doorstep.NotFound("parcel", string(w))
}

// AddContact publishes a letter about a parcel, once a day.
func (db *DB) AddContact(ctx context.Context, l outreach.Letter, most int, fact evidence.Fact) (c outreach.Contact, err error) {
	facts, err := db.sealFacts([]evidence.Fact{fact})
	if err != nil {
		return c, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		c = outreach.Contact{Waybill: l.Link.Waybill, SentAt: l.Link.CreatedAt, ExpiresAt: l.Link.ExpiresAt, New: true}
		n, err := tx.changed(insertLink+` on conflict (outlet_no, waybill, day) where kind = 'pre_contact' do nothing`, linkValues(l.Link)...)
		if err != nil {
			return err
		}
		if n == 0 {
			var was struct {
				CreatedMS int64 `db:"created_at_ms"`
				ExpiresMS int64 `db:"expires_at_ms"`
			}
			err := tx.get(&was, `select created_at_ms, expires_at_ms from link where outlet_no = ? and waybill = ? and day = ? and kind = 'pre_contact'`,
				l.Link.Outlet, l.Link.Waybill, l.Link.Day)
			c.SentAt, c.ExpiresAt, c.New = fromMS(was.CreatedMS), fromMS(was.ExpiresMS), false
			return err
		}
		var asked int
		err = tx.get(&asked, `select count(*) from link where outlet_no = ? and asker = ? and day = ? and kind = 'pre_contact'`,
			l.Link.Outlet, l.Link.Asker, l.Link.Day)
		if err != nil {
			return err
		}
		if asked > most {
			return &doorstep.TooManyError{
				Code: "too_many_pre_contacts", Detail: fmt.Sprintf("at most %d a day", most), Wait: l.Link.ExpiresAt.Sub(l.Link.CreatedAt),
			}
		}
		if err := addFacts(tx, facts); err != nil {
			return err
		}
		return db.mail(tx, l)
	})
	if err != nil {
		return outreach.Contact{}, fmt.Errorf("pre-contact: %w", err)
	}
	return c, nil
}

// OutletLocale is the language of an outlet.
func (db *DB) OutletLocale(ctx context.Context, outlet doorstep.OutletNo) (locale string, err error) {
	if err := db.get(ctx, &locale, `select locale from outlet where no = ?`, outlet); err != nil {
		return "", notThere(err, "outlet", "by number")
	}
	return cmp.Or(locale, defaultLocale), nil
}

// ExpiredLinks lists outlets with links that expired long ago.
func (db *DB) ExpiredLinks(ctx context.Context, before time.Time, limit int) (list []doorstep.OutletNo, err error) {
	err = db.list(ctx, &list, `select outlet_no from (
  select outlet_no, expires_at_ms from link where expires_at_ms <= ? order by expires_at_ms limit ?) expired
group by outlet_no order by min(expires_at_ms) limit ?`, ms(before), oldest, limit)
	return list, err
}

// ForgetLinks deletes links that expired long ago.
func (db *DB) ForgetLinks(ctx context.Context, outlet doorstep.OutletNo, before time.Time, limit int) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		var hashes []string
		err := tx.list(&hashes, `select hash from link where outlet_no = ? and expires_at_ms <= ? order by expires_at_ms, hash limit ?`+db.skipLocked,
			outlet, ms(before), limit)
		if n = len(hashes); err != nil || n == 0 {
			return err
		}
		return tx.exec(`delete from link where outlet_no = ? and hash`+db.inList, outlet, db.asList(hashes))
	})
	return n, err
}

var _ outreach.Store = (*DB)(nil)
