package store_test

import (
	"context"
	"crypto/rand"
	"maps"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/api/replay"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/feed"
	"doorstep/kpi"
	"doorstep/outreach"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/privacy"
	"doorstep/push"
	"doorstep/store"
	"doorstep/store/storetest"
	"doorstep/webhooks"
)

// What follows holds the schema and the statements to the rules under which the
// tables can be spread over partitions or, with Citus, over machines: see
// docs/scale.md.

// apart are the tables that belong to no outlet and no consumer. They are small,
// or never part of a transaction with those that do.
var apart = map[string]string{
	"setting": "a few rows", "counter": "a few rows, touched by new outlets and couriers, and by changes of wishes",
	"company": "read everywhere, rarely written", "outlet": "read everywhere, rarely written",
	"courier": "read everywhere, rarely written", "courier_outlet": "read everywhere, rarely written",
	"tag_learning": "at most twenty rows a company, written by verdicts",
	"token":        "read everywhere, rarely written", "replay": "by the hash of what an idempotency key belongs to",
}

// few are the outlets' tables that stay plain: they grow with couriers,
// complaints and time, not with parcels, or hold what waits.
var few = []string{
	"complaint", "complaint_message", "complaint_note", "complaint_period", "complaint_reporter", "device", "event", "event_head", "hold", "inbox_head",
	"kpi_day", "kpi_head", "kpi_mark", "kpi_part", "link", "log_checkpoint", "log_covered", "log_head", "notice", "outbox", "parcel_line", "provider_account", "provider_callback", "provider_sighting",
	"provider_total", "retention", "seal_queue", "spared_parcel",
	"webhook", "webhook_delivery",
}

// across are the functions whose statements reach over outlets or consumers, and
// why each may.
var across = map[string]string{
	"DueOutlets":          "finds the outlets that have something due, by an index of what waits",
	"UnreadOutlets":       "finds the outlets that have something due, by an index of what waits",
	"UnseenOutlets":       "finds the outlets with old devices, once an hour",
	"Backlog":             "counts what is due, to a bound, once a scrape",
	"Devices":             "counts devices, to a bound, at most once a minute",
	"TakeOver":            "of the only server of an SQLite file, when it starts",
	"AlarmOutlets":        "finds the outlets that have something due, by an index of what waits",
	"Notices":             "a person's list, at the outlets that he may see",
	"Custody":             "a parcel's outlets, once a complaint",
	"custody":             "looks for a parcel by its waybill, since it is not known where it is: once a complaint or a link",
	"ParcelAddress":       "the same, once a wish about a parcel",
	"findOtherComplaints": "a consumer's complaints at any outlet: once a complaint",
	"Complaints":          "a person's list, at the outlets that he may see",
	"Evidence":            "a person's list, at the outlets that he may see",
	"Copy":                "a person's look at a photo, at the outlets that he may see",
	"SweepOutlets":        "finds the outlets that have something due, by an index of what waits",
	"pushRecords":         "a parcel's file, at the outlets that a person may see",
	"ReviseDue":           "a queue that stays on one machine: wishes change far more rarely than parcels go out",
	"revisions":           "finds where a consumer has parcels out: once a change of wishes",
	"Alerts":              "an inbox over the outlets that its courier works for: mostly one",
	"seenJustNow":         "the same, once a start of the app",
	"PutDevice":           "an address moves from a phone of any outlet: once an installation",
	"RemoveDevice":        "once a logout",
	"WaitingEvents":       "finds the outlets that have something due, in a table that is empty when nothing waits",
	"FeedCompanies":       "a row a company, once an hour",
	"ExpiredLinks":        "finds the outlets with old links, once an hour",
	"Overrides":           "a person's list, at the outlets that he may see",
	"parcelOutlet":        "looks for a parcel by its waybill: once a consent for one",
	"devicesOf":           "phones at their couriers' homes, which it learns by a join, row by row",
	"UnsealedOutlets":     "finds the outlets that have something due, in a table that is empty when nothing waits",
	"OldestUnsealed":      "the same, once a scrape",
	"GrownLogs":           "finds the logs to sign, a row an outlet, every ten seconds",
	"OutletTrees":         "the states of all logs, a row an outlet, every ten minutes",
	"Logs":                "lists all logs, for a check that an operator asks for",
	"WaitingRecords":      "finds the companies that have something to read, by an index of what waits",
	"runs":                "looks for parcels by their waybills, since it is not known where they are: once a batch of providers' records",
	"OpenCase":            "finds the outlets that had the parcel of a case",
	"ParcelContacts":      "a parcel's calls, at the outlets that a person may see",
	"MarkOutlets":         "gives new outlets their marks, once an hour",
	"DueMarks":            "finds the outlets that have something due, by an index of what waits",
	"SparedParcels":       "the same",
	"ParcelsOf":           "a consumer's parcels at any outlet: once a copy or an erasure",
	"Own":                 "the same, of his links",
	"Holds":               "a person's list, at the outlets that he may see",
	"accesses":            "a person's list, at the outlets that he may see",
	"SweepReports":        "finds what providers reported long ago, account by account",
	"sweepReports":        "rows of one outlet, which a subselect of it names",
	"Sightings":           "a parcel's scans at its outlets, when a person looks for it",
	"Forget":              "all that is about a consumer, at any outlet: once an erasure",
	"resealSome":          "goes through all that is sealed, when an operator asks for it",
	"ChangedOutlets":      "finds the outlets that have something due, in a table that is empty when nothing waits",
	"Freshen":             "the same, of the outlets that a person may see",
	"Sums":                "a person's figures, at the outlets that he may see",
	"Young":               "the same, of the day that is not whole",
	"Sites":               "the first complaint of each outlet, by an index: once a table of figures",
	"heldBecause":         "what keeps a parcel, at any outlet: once an erasure",
	"keptParcels":         "the same, of the parcels of a batch",
	"keeps":               "the same, of one that was kept before",
	"SweepUndispatched":   "the same",
	"casesOf":             "what the consumers of an outlet's day complained of before, at any outlet: once a changed day",
	"markComplaint":       "later complaints of a consumer at any outlet: once a change of a complaint",
	"Behind":              "finds the webhooks of companies whose feed has gone on: a row or a few each",
	"Due":                 "the same, of those with something due",
}

// shape is what the schema says of one table.
type shape struct {
	Name string
	Keys []string // of each unique index, the primary key first, as "a, b"
}

// schema reads the tables of a migrated PostgreSQL database.
func schema(t *testing.T, db *sqlx.DB) (list []shape) {
	t.Helper()
	var rows []struct{ Name, Key string }
	require.NoError(t, db.Select(&rows, `select c.relname as name, (
  select string_agg(a.attname, ', ' order by k.place) from unnest(i.indkey) with ordinality as k(no, place)
  join pg_attribute a on a.attrelid = c.oid and a.attnum = k.no) as key
from pg_class c join pg_index i on i.indrelid = c.oid and i.indisunique
where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = current_schema()::regnamespace and c.relname not like 'goose%'
order by c.relname, not i.indisprimary, i.indexrelid`))
	for _, r := range rows {
		if len(list) == 0 || list[len(list)-1].Name != r.Name {
			list = append(list, shape{Name: r.Name})
		}
		last := &list[len(list)-1]
		last.Keys = append(last.Keys, r.Key)
	}
	return list
}

// kinds sorts the tables by what their rows belong to.
func kinds(t *testing.T, db *sqlx.DB) (outlets, consumers map[string]bool) {
	t.Helper()
	outlets, consumers = map[string]bool{}, map[string]bool{}
	for _, table := range schema(t, db) {
		switch {
		case strings.HasPrefix(table.Keys[0], "outlet_no"):
			outlets[table.Name] = true
		case strings.HasPrefix(table.Keys[0], "consumer_id"):
			consumers[table.Name] = true
		default:
			require.Contains(t, apart, table.Name, "its key begins with neither outlet_no nor consumer_id")
		}
	}
	return outlets, consumers
}

// migrated opens an up-to-date database, and once more to look at its schema.
func migrated(t *testing.T) *sqlx.DB {
	t.Helper()
	url := storetest.Postgres(t)
	storetest.Open(t, url, storetest.Vault(t), storetest.NewClock(), 0)
	db, err := sqlx.Open("pgx", url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestEveryKeyOfATableHasWhatItCanBeSpreadBy(t *testing.T) {
	db := migrated(t)
	outlets, consumers := kinds(t, db)
	for _, table := range schema(t, db) {
		for _, key := range table.Keys {
			switch {
			case outlets[table.Name]:
				require.Contains(t, strings.Split(key, ", "), "outlet_no", "a unique key of %s", table.Name)
			case consumers[table.Name]:
				require.Contains(t, strings.Split(key, ", "), "consumer_id", "a unique key of %s", table.Name)
			}
		}
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(outlets)), append(slices.Clone(few), store.Growing()...),
		"whether a table of the outlets is spread over partitions must be decided")
}

func TestTheSchemaHasNothingThatOneMachineAloneCanHave(t *testing.T) {
	db := migrated(t)
	outlets, _ := kinds(t, db)
	var sequences, foreign, triggers []string
	require.NoError(t, db.Select(&sequences, `select relname from pg_class where relkind = 'S' and relname not like 'goose%'`))
	require.Empty(t, sequences, "dense numbers come from a row that counts")
	require.NoError(t, db.Select(&foreign, `select conrelid::regclass::text from pg_constraint where contype = 'f'`))
	for _, table := range foreign {
		require.NotContains(t, outlets, table, "a foreign key")
	}
	require.NoError(t, db.Select(&triggers, `select distinct c.relname from pg_trigger t
join pg_class c on c.oid = t.tgrelid where not t.tgisinternal and not c.relispartition`))
	require.ElementsMatch(t, []string{"evidence", "log_leaf", "log_tile", "log_checkpoint"}, triggers, "grants do their work where tables are distributed")
}

// refused are spellings that Citus refuses, or that would be wrong there.
var refused = map[string]*regexp.Regexp{
	"returning takes no alias and no table's name":       regexp.MustCompile(`\breturning\b.*( as |\w\.\w)`),
	"an update of many rows is an insert that conflicts": regexp.MustCompile(`^update \w+ (\w+ )?set .* from `),
	"values hold no subselect":                           regexp.MustCompile(`\bvalues \(.*\(#\)`),
	"a row never changes its outlet":                     regexp.MustCompile(`\bset (.*, )?outlet_no = `),
	"a dense number is not the greatest one more":        regexp.MustCompile(`\bmax\(seq\)`),
}

// reach ends what is said of a statement that reaches over outlets or consumers.
const reach = " = ?"

// breaches says which rules a statement breaks. volatile are functions that give
// another answer each time.
func breaches(sql string, outlets, consumers map[string]bool, volatile *regexp.Regexp) (list []string) {
	for _, b := range parse(sql) {
		for _, table := range b.unbound(outlets, "outlet_no", nil) {
			list = append(list, table+" without outlet_no"+reach)
		}
		for _, one := range b.all() {
			changes := strings.HasPrefix(one.text, "update") || strings.HasPrefix(one.text, "delete") || strings.Contains(one.text, " for update")
			if changes {
				for _, table := range one.unbound(consumers, "consumer_id", nil) {
					list = append(list, table+" is changed or locked without consumer_id"+reach)
				}
			}
			if len(one.named(outlets)) > 0 && len(one.named(consumers)) > 0 {
				list = append(list, "joins outlets' tables with consumers'")
			}
			for _, m := range inserts.FindAllStringSubmatch(one.text, -1) {
				if outlets[m[1]] && !strings.Contains(m[2], "outlet_no") {
					list = append(list, "inserts into "+m[1]+" without outlet_no")
				}
			}
			if changes || strings.Contains(one.text, " do update set ") {
				if f := volatile.FindString(one.text); f != "" {
					list = append(list, f+" in an update")
				}
			}
			for rule, spelling := range refused {
				if spelling.MatchString(one.text) && (outlets[firstTable(one.text)] || consumers[firstTable(one.text)]) {
					list = append(list, rule)
				}
			}
		}
	}
	return list
}

var written = regexp.MustCompile(`^(?:insert into|update|delete from) (\w+)`)

// firstTable is the table that a statement writes.
func firstTable(text string) string {
	if m := written.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// volatileCalls finds calls of what the server knows as volatile.
func volatileCalls(t *testing.T, db *sqlx.DB) *regexp.Regexp {
	t.Helper()
	var names []string
	require.NoError(t, db.Select(&names, `select distinct proname from pg_proc where provolatile = 'v' and proname ~ '^\w+$'`))
	require.Contains(t, names, "gen_random_uuid")
	return regexp.MustCompile(`\b(?:` + strings.Join(names, "|") + `)\(`)
}

func TestTheReaderOfStatementsSeesWhatBreaksARule(t *testing.T) {
	outlets, consumers := map[string]bool{"alert": true, "push": true, "delivery": true}, map[string]bool{"preference": true}
	volatile := regexp.MustCompile(`\bgen_random_uuid\(`)
	for _, good := range []string{
		`select id from alert where outlet_no = $1 and id = any($2)`,
		`select a.id from alert a join push p on p.outlet_no = a.outlet_no and p.id = a.push_id where a.outlet_no = $1`,
		`update push set state = 'due' where outlet_no = $1 and id in (select push_id from alert where outlet_no = $2) and exists (select 1 from delivery d where d.outlet_no = push.outlet_no)`,
		`insert into alert (outlet_no, id) values ($1, $2) on conflict (outlet_no, id) do update set id = excluded.id returning id`,
		`select tag from preference where consumer_id = any($1)`,
		`select now()`,
	} {
		require.Empty(t, breaches(good, outlets, consumers, volatile), good)
	}
	for bad, why := range map[string]string{
		`select id from alert where id = $1`:                                                                                                               "alert without outlet_no = ?",
		`select id from alert where outlet_no = any($1)`:                                                                                                   "alert without outlet_no = ?",
		`select id from alert where note = 'outlet_no = $1'`:                                                                                               "alert without outlet_no = ?",
		`update delivery set state = 'x' where outlet_no = $1 and id in (select id from delivery limit 3)`:                                                 "delivery without outlet_no = ?",
		`select id from alert where outlet_no = $1 union all select id from push where state = 'due'`:                                                      "push without outlet_no = ?",
		`select a.id from alert a join push p on p.id = a.push_id where a.outlet_no = $1`:                                                                  "push without outlet_no = ?",
		`insert into alert (id) values ($1)`:                                                                                                               "inserts into alert without outlet_no",
		`update alert set outlet_no = $1 where outlet_no = $2`:                                                                                             "a row never changes its outlet",
		`update alert set id = v.id from (values ($1)) as v(id) where outlet_no = $2`:                                                                      "an update of many rows is an insert that conflicts",
		`update alert set id = gen_random_uuid() where outlet_no = $1`:                                                                                     "gen_random_uuid( in an update",
		`insert into alert (outlet_no, id) values ($1, (select max(id) from x))`:                                                                           "values hold no subselect",
		`insert into alert (outlet_no, id) values ($1, $2) returning alert.id`:                                                                             "returning takes no alias and no table's name",
		`select a.id from alert a join preference p on p.consumer_id = a.id where a.outlet_no = $1`:                                                        "joins outlets' tables with consumers'",
		`select tag from preference where tag = $1 for update skip locked`:                                                                                 "preference is changed or locked without consumer_id = ?",
		`delete from preference where tag = $1`:                                                                                                            "preference is changed or locked without consumer_id = ?",
		`insert into alert (outlet_no, id) select outlet_no, id from push where outlet_no = $1 and id > (select max(seq) from alert where outlet_no = $1)`: "",
	} {
		got := breaches(bad, outlets, consumers, volatile)
		if why == "" {
			require.Empty(t, got, bad)
			continue
		}
		require.Equal(t, []string{why}, got, bad)
	}
}

// elsewhere are the methods of DB that the morning does not call.
var elsewhere = map[string]string{
	"Migrate": "no statement of service", "Migrations": "no statement of service", "Partition": "no statement of service",
	"Partitions": "no statement of service", "Close": "asks nothing", "Observe": "asks nothing", "OnNews": "asks nothing", "ClaimWith": "asks nothing",
	"HashNumber": "asks nothing", "TimeZone": "asks nothing", "Zone": "asks nothing", "Ping": "asks for no rows", "LogKeys": "asks nothing", "ForgetTiles": "asks nothing",
	"Consumer": "asks nothing", "Hear": "listens", "Scrub": "asks PostgreSQL nothing", "Reload": "asks nothing", "Vault": "asks nothing",
	"Photos": "of an operator who reseals photos", "Unheld": "of an operator who reseals photos", "Renew": "of an operator who reseals photos",
	"Erasures": "of an operator's check of a log",
	"Profiles": "answered by a look-up of many calls at once",
}

func TestEveryStatementStaysWithinOneOutlet(t *testing.T) {
	url, clock := storetest.Postgres(t), storetest.NewClock()
	db := storetest.Open(t, url, storetest.Vault(t), clock, 0)
	heard := overhear(t, db, url)
	newHouse(t, db, clock).morning()

	side, err := sqlx.Open("pgx", url)
	require.NoError(t, err)
	defer side.Close()
	outlets, consumers := kinds(t, side)
	volatile := volatileCalls(t, side)
	needed := map[string]bool{}
	touched := map[string]bool{}
	for sql, asker := range heard.asked {
		broken := breaches(sql, outlets, consumers, volatile)
		if _, ok := across[asker]; ok {
			all := len(broken)
			broken = slices.DeleteFunc(broken, func(b string) bool { return strings.HasSuffix(b, reach) })
			needed[asker] = needed[asker] || len(broken) < all
		}
		assert.Empty(t, broken, "%s asks: %s", asker, sql)
		for table := range outlets {
			touched[table] = touched[table] || strings.Contains(sql, table)
		}
	}
	for asker := range across {
		assert.True(t, needed[asker], "nothing needs the exception for %s", asker)
	}
	for table := range outlets {
		assert.True(t, touched[table], "the morning has nothing about %s", table)
	}

	// A method that the morning forgot could break any rule.
	for m := range reflect.TypeFor[*store.DB]().Methods() {
		file, _ := runtime.FuncForPC(m.Func.Pointer()).FileLine(m.Func.Pointer())
		if _, ok := elsewhere[m.Name]; !ok && !strings.HasSuffix(file, "_test.go") {
			assert.True(t, heard.ran["DB."+m.Name], "the morning does not call %s", m.Name)
		}
	}
}

// morning has everything happen once that can happen at an outlet, and a bit
// more: each method of the store asks what it asks.
func (h *house) morning() {
	h.t.Helper()
	ctx := context.Background()
	must := func(err error) {
		h.t.Helper()
		require.NoError(h.t, err)
	}
	li, annes := h.courier("li"), h.consumer(wang)

	// Roster, tokens, idempotency keys.
	roster := parcels.Roster{Store: h.db, Now: h.clock.Now, TimeZone: "Asia/Shanghai"}
	h.rules(push.Rules{QuietFrom: "23:00", QuietTo: "05:00", PerDay: 20})
	_, err := roster.Outlet(ctx, h.integrator, "west")
	must(err)
	_, err = roster.PutCourier(ctx, h.integrator, parcels.Courier{ID: "li", OutletID: "west", Name: "Li"})
	must(err)
	_, err = roster.Courier(ctx, h.integrator, "li")
	must(err)
	office := access.Office{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID, Random: rand.Reader}
	secret, err := office.Create(ctx, access.Request{Role: doorstep.RoleCourier, Company: "default", CourierID: "li", TTL: time.Hour})
	must(err)
	_, err = (&access.Authenticator{Store: h.db, Now: h.clock.Now}).Authenticate(ctx, secret)
	must(err)
	tokens, err := h.db.Tokens(ctx)
	must(err)
	must(office.Revoke(ctx, tokens[0].ID))
	invitation, err := office.Create(ctx, access.Request{Role: doorstep.RoleCourier, Company: "default", CourierID: "li", TTL: time.Hour, Link: true})
	must(err)
	_, who, err := office.SignIn(ctx, invitation)
	must(err)
	must(h.db.ProlongToken(ctx, who.TokenID, h.clock.Now().Add(48*time.Hour)))
	replays := store.Replays{DB: h.db}
	attempt := replay.Attempt{Scope: replay.Scope{TokenID: "t", Operation: "o", Key: "k"}, Claim: "first", At: h.clock.Now()}
	_, err = replays.Begin(ctx, attempt)
	must(err)
	must(replays.Finish(ctx, attempt, replay.Answer{Status: 200}))
	_, err = replays.Begin(ctx, attempt)
	must(err)
	must(replays.Abandon(ctx, attempt))

	// Wishes, and what was learned.
	scanner := parcels.Scanner{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
	_, err = scanner.Scan(ctx, h.integrator, []parcels.ScanOrder{{
		Waybill: "SF1", OutletID: "west", Code: "sorted", At: "2026-03-01T10:00:00Z", Consignee: &parcels.ConsigneeOrder{Phone: wang},
	}})
	must(err)
	_, _, err = office.Link(ctx, h.integrator, "SF1", "parcel")
	must(err)
	h.wishful()
	complaint := h.complain("SEED", "locker once more", prefs.NoLocker)
	desk := complaints.Desk{Store: h.db, Now: h.clock.Now}
	_, err = h.db.Consignee(ctx, complaint.Outlet, complaint.Waybill)
	must(err)
	_, err = desk.Complaint(ctx, h.manager("west"), complaint.ID)
	must(err)
	_, err = desk.Complaints(ctx, h.manager("west"), complaints.Query{Limit: 10})
	must(err)
	book := h.book()
	_, err = book.SetPreferences(ctx, annes, prefs.Preferences{Tags: []string{"locker_ok"}, Note: "side door", Waybill: "SF1"})
	must(err)
	_, err = book.Confirm(ctx, annes, "call_first")
	must(err)
	_, _, err = book.Tags(ctx, annes)
	must(err)
	consent, err := book.GiveConsent(ctx, annes, prefs.ConsentRequest{Kind: "locker", Scope: "parcel", Waybill: "SF1", ReceiptMethod: "photo"})
	must(err)
	_, err = book.Consents(ctx, annes, prefs.ConsentPage{Limit: 10})
	must(err)
	must(book.RevokeConsent(ctx, annes, consent.ID))

	// Alerts, pushes and what becomes of them.
	p := &pager{}
	s := h.sender(p)
	_, err = h.db.EnsureCourier(ctx, h.courier("chen"))
	must(err)
	h.device("li", "phone", "addr-1")
	h.clock.Add(time.Second)
	h.device("li", "tablet", "addr-2")
	h.device("li", "tablet", "addr-2")
	h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang), order("SF3", "li", zhao))
	h.dispatch(order("SF1", "li", wang), order("SF4", "chen", wang))
	h.device("li", "watch", "addr-3")
	_, err = h.db.Backlog(ctx, h.clock.Now())
	must(err)
	h.pass(s)
	_, err = h.db.Devices(ctx)
	must(err)
	require.NotEmpty(h.t, h.unread(""))
	alerts := h.alerts("li")
	require.Len(h.t, alerts, 2)
	h.acknowledge("li", alerts[0].ID)
	h.pass(s)
	h.wish(wang, "to_door")
	h.settled()
	h.wish(wang)
	h.settled()
	h.pass(s)
	runner := parcels.Runner{Store: h.db, Now: h.clock.Now}
	_, err = runner.Run(ctx, li)
	must(err)
	_, _, err = runner.Next(ctx, li, "SF2", false)
	must(err)
	h.pass(s)
	h.clock.Add(push.Escalation[0].After)
	h.closeDue()
	h.pass(s)
	h.clock.Add(push.Escalation[1].After)
	h.closeDue()
	must((&push.Inbox{Store: h.db, Now: h.clock.Now}).RemoveDevice(ctx, li, "watch"))
	p.answer = func(push.Address) push.Result { return push.Result{Outcome: push.AddrGone, Code: "unregistered"} }
	h.dispatch(order("SF5", "li", wang))
	h.pass(s)
	must(h.db.TakeOver(ctx, h.clock.Now()))

	// Questions, pre-contacts and the feed that carries them.
	urls := []string{}
	asker := outreach.Desk{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID, Random: rand.Reader, URL: func(secret string) string {
		urls = append(urls, secret)
		return "https://doorstep.example/p/" + secret
	}}
	say := func(string) string { return "as she says:" }
	for range 2 {
		_, err = asker.PreContact(ctx, li, "SF2")
		must(err)
	}
	must(asker.AnswerContact(ctx, urls[0], outreach.Locker, "box 7", "en", say))
	h.settled()
	_, err = asker.PreContact(ctx, h.manager("west"), "SF1")
	must(err)
	asking := complaints.Desk{Store: h.db, Ask: asker.Inquire, Now: h.clock.Now, NewID: doorstep.MakeID, Read: func(string) complaints.Reading {
		return complaints.Reading{Category: complaints.Other, Tags: []complaints.TagReading{{Tag: prefs.EveningOnly, Confidence: 0.9}, {Tag: prefs.FamilyMaySign, Confidence: 0.9}}}
	}}
	_, err = asking.File(ctx, h.integrator, complaints.Filing{Waybill: "SF2", Text: "in the evening, or give it to my sister"})
	must(err)
	question := urls[len(urls)-1]
	for _, yes := range []bool{true, false} {
		must(asker.AnswerQuestion(ctx, question, prefs.FamilyMaySign, yes, "en"))
	}
	_, err = asker.Open(ctx, question)
	must(err)
	require.Positive(h.t, h.relay())
	events, err := h.db.Events(ctx, h.integrator.Company, 0, 10)
	must(err)
	require.NotEmpty(h.t, events)

	// Webhooks, one of which is given up.
	receiver := &receiver{answer: answering(410)}
	hooks, hook := h.hooks(receiver), h.hook(receiver, "https://carrier.example")
	h.happen("a", 1)
	h.deliver(receiver)
	_, err = hooks.Replace(ctx, h.integrator, hook.ID, webhooks.Settings{URL: hook.URL})
	must(err)
	receiver.answer = nil
	h.deliver(receiver)
	_, err = hooks.Resend(ctx, h.integrator, hook.ID, int64(len(events))+1)
	must(err)
	_, err = hooks.Webhooks(ctx, h.integrator, "", 10)
	must(err)
	_, err = hooks.Deliveries(ctx, h.integrator, hook.ID, webhooks.Delivered, 1000, 10)
	must(err)
	gone := h.hook(receiver, "https://gone.example")
	must(hooks.Remove(ctx, h.integrator, gone.ID))

	// Evidence.
	recorder := evidence.Recorder{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
	seconds, outcome := 12.5, "no_answer"
	call := evidence.Upload{
		ID: "0190b6f0-0000-7000-8000-000000000001", Kind: "call", Waybill: "SF2", OccurredAt: "2026-03-02T00:30:00Z",
		DurationS: &seconds, Outcome: &outcome,
	}
	for range 2 {
		_, err = recorder.Upload(ctx, li, []evidence.Upload{call})
		must(err)
	}
	h.photographed()
	_, err = h.db.Evidence(ctx, h.manager("west"), evidence.Query{ComplaintID: complaint.ID, CourierID: "li", Kind: evidence.Push, Limit: 10})
	must(err)

	// Handing over.
	signer := h.signer()
	boss := h.manager("west")
	boss.Subject = "Sun Yan"
	failed := parcels.AttemptOrder{Outcome: parcels.Failed, Reason: "nobody_home", At: "2026-03-02T01:00:00Z", ClientID: call.ID[:35] + "2"}
	_, _, _, err = signer.Attempt(ctx, li, "SF2", failed)
	must(err)
	_, err = signer.Override(ctx, boss, "SF2", parcels.SignOrder{Method: "locker"}, "flood")
	must(err)
	_, err = signer.Correct(ctx, boss, "SF2", parcels.SignOrder{}, "slip", true)
	must(err)
	h.dispatch(order("SF6", "li", wang))
	h.pass(s)
	_, err = signer.Sign(ctx, li, "SF6", signOrder(parcels.InPerson, h.clock.Now()))
	must(err)
	_, _, err = signer.Parcel(ctx, boss, "SF2")
	must(err)
	// Its log, of more than a tile.
	west := h.log("west")
	var facts []evidence.Fact
	for range evidence.TileWidth {
		facts = append(facts, h.fact(west.No, "w"))
	}
	must(h.db.AddFacts(ctx, facts, nil))
	_, err = h.db.OldestUnsealed(ctx)
	must(err)
	h.seal()
	notary := evidence.Notary{Store: h.db, Ledger: h.ledger()}
	for range 2 {
		_, err = notary.Cover(ctx)
		must(err)
	}
	_, err = notary.Pass(ctx)
	must(err)
	heads, err := h.ledger().Heads(ctx, h.log(""), 0, 10)
	must(err)
	require.NotEmpty(h.t, heads)
	_, err = h.ledger().Inclusion(ctx, h.log(""), heads[0].Record(), 0)
	must(err)
	_, _, err = h.ledger().Consistency(ctx, west, 1, heads[0].Size)
	must(err)
	logs, err := h.db.Logs(ctx)
	must(err)
	for _, log := range logs {
		_, err = h.check(log)
		must(err)
	}
	// What providers report, and calls that couriers ask for.
	h.reported()

	// Figures.
	later, err := asking.File(ctx, h.integrator, complaints.Filing{Waybill: "SF6", Text: "signed for by whom?", Category: "false_sign_for"})
	must(err)
	require.NotEmpty(h.t, later.ID)
	counter := kpi.Keeper{Store: h.db, Now: h.clock.Now}
	h.clock.Add(2 * time.Minute)
	_, err = counter.Pass(ctx)
	must(err)
	_, err = counter.Rebuild(ctx)
	must(err)
	board := kpi.Board{Store: h.db, Now: h.clock.Now}
	for _, by := range kpi.Groupings {
		rows, err := board.Table(ctx, h.hq(), kpi.Query{From: "2026-03-01", To: "2026-03-03", GroupBy: string(by)})
		must(err)
		require.NotEmpty(h.t, rows)
	}
	figures := complaints.CountedAs{FromDay: 20260301, ToDay: 20260303, Handled: "same_day", Repeat: "true", Counted: true}
	_, err = desk.Complaints(ctx, h.manager("west"), complaints.Query{Counted: figures, Limit: 10})
	must(err)

	// Verdicts on what was learned.
	_, err = book.Correct(ctx, annes, "no_call", "call_first")
	must(err)
	panel := h.panel()
	h.dispatch(order("SF7", "li", wang))
	for _, verdict := range []string{"right", "wrong"} {
		for _, judge := range []doorstep.Actor{li, h.manager("west")} {
			_, err = panel.Judge(ctx, judge, "SF7", "no_locker", verdict)
			must(err)
		}
	}
	_, err = panel.Learning(ctx, h.manager("west"))
	must(err)
	_, err = panel.Resume(ctx, h.integrator, "no_locker")
	must(err)

	// Privacy: who looked, a copy, a hold, an erasure.
	_, err = recorder.List(ctx, h.manager("west"), evidence.Query{Waybill: "SF2", Limit: 10})
	must(err)
	_, err = (&privacy.AccessLog{Store: h.db}).List(ctx, h.manager("west"), privacy.AccessQuery{Waybill: "SF2", Limit: 10})
	must(err)
	exporter := privacy.Exporter{Store: h.db, Tags: book.Tags, Now: h.clock.Now, NewID: doorstep.MakeID}
	own, err := exporter.Export(ctx, annes)
	must(err)
	must(own.Parcels(ctx, func(privacy.Owned) error { return nil }))
	keeper := privacy.Keeper{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
	hold, err := keeper.Hold(ctx, h.manager("west"), "SF3", "a court asks")
	must(err)
	none := func(context.Context) (int, error) { return 0, nil }
	eraser := privacy.Eraser{Store: h.db, Recall: none, Photos: none, Now: h.clock.Now}
	must(eraser.Erase(ctx, h.consumer(zhao)))
	_, err = eraser.Request(ctx, h.consumer(zhao))
	must(err)
	must(keeper.Release(ctx, h.manager("west"), hold.ID))
	h.clock.Add(time.Hour)
	_, err = eraser.EraseDue(ctx)
	must(err)
	_, err = h.db.Reseal(ctx)
	must(err)

	// The evening, and two months later.
	must(book.Remove(ctx, annes, "no_locker"))
	must(book.SetLearning(ctx, annes, false))
	h.clock.Add(14 * time.Hour)
	h.closeDue()
	h.clock.Add(61 * day)
	h.sweep()
	_, err = (&feed.Sweeper{Store: h.db, Now: h.clock.Now}).Sweep(ctx)
	must(err)

	// A complaint's file.
	clerk := evidence.Clerk{Store: h.db, Ledger: h.ledger(), Feeds: noFeeds, Now: h.clock.Now, NewID: doorstep.MakeID}
	_, err = clerk.Open(ctx, h.manager("west"), complaint.ID, evidence.OpenedFile, 0)
	must(err)
	_, err = h.db.CheckpointBy(ctx, west.No, h.clock.Now()) // of a parcel that was at two
	must(err)

	// The desk, long after.
	chief := h.manager("west")
	chief.Subject = "Sun Yan"
	_, err = asking.AddNote(ctx, chief, later.ID, "ask Li")
	must(err)
	_, err = asking.Notes(ctx, chief, later.ID)
	must(err)
	watch := complaints.Watch{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
	_, err = watch.Pass(ctx)
	must(err)
	h.dispatch(parcels.Order{Waybill: "SF90", OutletID: "east", CourierID: "kim", Consignee: parcels.ConsigneeOrder{Phone: zhao}})
	_, err = asking.Reroute(ctx, chief, later.ID, "east", "they had it")
	must(err)
	for _, who := range []doorstep.Actor{chief, h.hq()} { // one outlet's lists, and the company's
		_, err = asking.Notices(ctx, who, complaints.NoticeQuery{Limit: 10})
		must(err)
		_, err = signer.Overrides(ctx, who, parcels.OverrideQuery{Limit: 10})
		must(err)
		_, err = keeper.Holds(ctx, who, privacy.HoldQuery{Limit: 10})
		must(err)
		_, err = h.db.Accesses(ctx, who, privacy.AccessQuery{Limit: 10})
		must(err)
	}

	// Years later.
	_, err = keeper.Hold(ctx, h.manager("west"), "SF1", "a court asks")
	must(err)
	h.clock.Add(600 * day)
	retention := privacy.Sweeper{Store: h.db, Photos: none, Now: h.clock.Now}
	_, err = retention.DryRun(ctx)
	must(err)
	_, err = retention.SweepAll(ctx)
	must(err)
	h.clock.Add(600 * day)
	_, err = retention.SweepAll(ctx)
	must(err)
}

func noFeeds(context.Context, doorstep.CompanyNo, time.Time, time.Time) ([]evidence.Feed, error) {
	return nil, nil
}
