package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"doorstep"
	"doorstep/telephony"
)

// ParcelContacts lists the calls and messages about a parcel.
func (db *DB) ParcelContacts(ctx context.Context, a doorstep.Actor, w doorstep.Waybill) ([]telephony.ProviderContact, error) {
	outlets, err := db.scope(ctx, a)
	if err != nil {
		return nil, err
	}
	var here int
	err = db.get(ctx, &here, `select count(*) from parcel where waybill = ? and outlet_no`+db.inList, w, db.asList(outlets))
	if err != nil {
		return nil, fmt.Errorf("parcel: %w", err)
	}
	if here == 0 {
		return nil, doorstep.NotFound("parcel", string(w))
	}
	var rows []contactRow
	err = db.list(ctx, &rows, selectContact+` where outlet_no = ? and waybill = ? and waybill <> '' and parcel_outlet_no`+db.inList+` order by started_at_ms, provider, subject`,
		a.Company, w, db.asList(outlets))
	if err != nil {
		return nil, fmt.Errorf("contacts: %w", err)
	}
	list := make([]telephony.ProviderContact, len(rows))
	for i, r := range rows {
		c, err := r.contact()
		if err != nil {
			return nil, err
		}
		list[i] = telephony.ProviderContact{Provider: r.Provider, Contact: c}
	}
	return list, nil
}

// Faults lists records that a person should look at, the newest first.
func (db *DB) Faults(ctx context.Context, a doorstep.Actor, page telephony.FaultPage) ([]telephony.Fault, error) {
	where := newFilter("r.outlet_no = ? and r.state in ('quarantined', 'conflict')", a.Company)
	if a.Role == doorstep.RoleManager {
		where.and(`exists (select 1 from provider_contact c where c.outlet_no = r.outlet_no and c.provider = r.provider and c.kind = r.kind and c.subject = r.subject
  and c.parcel_outlet_no = (select no from outlet where company_no = ? and id = ?))`, a.Company, a.Outlet)
	}
	if page.BeforeID != "" {
		provider, rest, _ := strings.Cut(page.BeforeID, "|")
		variant, key, _ := strings.Cut(rest, "|")
		where.and("(r.received_at_ms, r.provider, r.event_key, r.variant) < (?, ?, ?, ?)", page.BeforeMS, provider, key, variant)
	}
	var rows []struct {
		Provider   telephony.Provider
		Key        string
		Variant    string
		Digest     string
		State      string
		Reason     string
		Kept       string
		ReceivedMS int64 `db:"received_at_ms"`
	}
	err := db.list(ctx, &rows, `select r.provider, r.event_key as key, r.variant, r.digest, r.state, r.reason, r.received_at_ms,
  coalesce((select k.digest from provider_record k where k.outlet_no = r.outlet_no and k.provider = r.provider and k.event_key = r.event_key
    and k.variant = '' and r.variant <> ''), '') as kept
from provider_record r where `+where.text+` order by r.received_at_ms desc, r.provider desc, r.event_key desc, r.variant desc limit ?`, append(where.args, page.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	list := make([]telephony.Fault, len(rows))
	for i, r := range rows {
		list[i] = telephony.Fault{
			ID: string(r.Provider) + "|" + r.Variant + "|" + r.Key, Provider: r.Provider, EventID: r.Key, State: r.State, Reason: r.Reason,
			Digest: r.Digest, Kept: r.Kept, ReceivedAt: fromMS(r.ReceivedMS),
		}
	}
	return list, nil
}

// Feeds tells what is known of a company's feeds about an interval, looking around
// it far enough to see the silences that reach into it.
func (db *DB) Feeds(ctx context.Context, company doorstep.CompanyNo, from, to time.Time, around time.Duration) ([]telephony.Feed, error) {
	var accounts []struct {
		Provider telephony.Provider
		SinceMS  int64 `db:"since_ms"`
		LastMS   int64 `db:"last_ms"`
	}
	err := db.list(ctx, &accounts, `select provider, since_ms, last_ms from (select a.provider,
  (select min(s.at_ms) from provider_sighting s where s.outlet_no = a.outlet_no and s.provider = a.provider) as since_ms,
  (select max(s.at_ms) from provider_sighting s where s.outlet_no = a.outlet_no and s.provider = a.provider) as last_ms
from provider_account a where a.outlet_no = ?) feeds where since_ms is not null order by provider`, company)
	if err != nil {
		return nil, fmt.Errorf("feeds: %w", err)
	}
	feeds := make([]telephony.Feed, len(accounts))
	for i, a := range accounts {
		f := telephony.Feed{Provider: a.Provider, Zone: db.Zone(), Since: fromMS(a.SinceMS), LastHeard: fromMS(a.LastMS)}
		var heard []int64
		err := db.list(ctx, &heard, `select at_ms from provider_sighting where outlet_no = ? and provider = ? and at_ms between ? and ? order by at_ms`,
			company, a.Provider, ms(from.Add(-around-sightingStep)), ms(to.Add(around)))
		if err != nil {
			return nil, fmt.Errorf("sightings: %w", err)
		}
		for _, at := range heard {
			f.Heard = append(f.Heard, fromMS(at))
		}
		if f.Days, err = db.days(ctx, company, f, from, to); err != nil {
			return nil, err
		}
		if err := db.tally(ctx, company, &f); err != nil {
			return nil, err
		}
		feeds[i] = f
	}
	return feeds, nil
}

// days sets what a provider declared against what came.
func (db *DB) days(ctx context.Context, company doorstep.CompanyNo, f telephony.Feed, from, to time.Time) (list []telephony.Day, err error) {
	var rows []struct {
		Day     string
		Records int
		AtMS    int64 `db:"declared_at_ms"`
	}
	err = db.list(ctx, &rows, `select day, records, declared_at_ms from provider_total where outlet_no = ? and provider = ? and day between ? and ? order by day`,
		company, f.Provider, from.In(f.Zone).Format(time.DateOnly), to.In(f.Zone).Format(time.DateOnly))
	if err != nil {
		return nil, fmt.Errorf("totals: %w", err)
	}
	for _, r := range rows {
		begin, err := time.ParseInLocation(time.DateOnly, r.Day, f.Zone)
		if err != nil {
			return nil, fmt.Errorf("totals: %w", err)
		}
		day := telephony.Day{Day: r.Day, Declared: r.Records, At: fromMS(r.AtMS)}
		err = db.get(ctx, &day.Received, `select count(*) from provider_record where outlet_no = ? and provider = ? and variant = '' and at_ms >= ? and at_ms < ?`,
			company, f.Provider, ms(begin), ms(begin.AddDate(0, 0, 1)))
		if err != nil {
			return nil, fmt.Errorf("totals: %w", err)
		}
		list = append(list, day)
	}
	return list, nil
}

// tally counts what wants looking at.
func (db *DB) tally(ctx context.Context, company doorstep.CompanyNo, f *telephony.Feed) error {
	err := db.get(ctx, &f.Waiting, `select count(*) from provider_record where outlet_no = ? and provider = ? and state = 'waiting'`, company, f.Provider)
	if err != nil {
		return fmt.Errorf("waiting records: %w", err)
	}
	err = db.get(ctx, &f.Unassigned, `select count(*) from provider_contact where outlet_no = ? and provider = ? and waybill = ''`, company, f.Provider)
	if err != nil {
		return fmt.Errorf("unassigned contacts: %w", err)
	}
	var faults []struct {
		State string
		N     int
	}
	err = db.list(ctx, &faults, `select state, count(*) as n from provider_record where outlet_no = ? and provider = ? and state in ('quarantined', 'conflict') group by state`, company, f.Provider)
	if err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	for _, r := range faults {
		if r.State == recordConflict {
			f.Conflicts = r.N
		} else {
			f.Quarantined = r.N
		}
	}
	return nil
}

var _ telephony.BookStore = (*DB)(nil)
