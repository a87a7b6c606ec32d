package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/prefs"
	"doorstep/privacy"
	"doorstep/store/storetest"
)

// What must not be found where it does not belong. Each is unlike anything that
// the program writes by itself.
const (
	canaryPhone   = "+8615512349876"
	canaryName    = "Oleander Quince"
	canaryAddress = "77 Vermilion Passage"
	canaryWords   = "zanzibar-umbrella"
	canaryNote    = "marzipan-doormat"
	canaryToken   = "fcm-address-of-li-xylophone"
	canarySister  = "Philippa Thistle"
)

// canaries are what a person could be known by, in the shapes in which it might
// leak.
func canaries(a *app) map[string]string {
	company, err := a.db.Company(a.t.Context(), "default")
	require.NoError(a.t, err)
	return map[string]string{
		"phone": "15512349876", "name": canaryName, "address": canaryAddress, "complaint": canaryWords, "note": canaryNote,
		"reporter": canarySister, "reporter's phone": "15987651234", "device": canaryToken,
		"consumer id": string(a.db.Consumer(company, canaryPhone)),
	}
}

// shows fails the test where text holds a canary other than those allowed.
func shows(t *testing.T, birds map[string]string, where, text string, allowed ...string) {
	t.Helper()
	for name, bird := range birds {
		if !slices.Contains(allowed, name) {
			require.NotContains(t, text, bird, "%s shows the %s", where, name)
		}
	}
}

// flock drives the whole house with canaries, and through its errors too.
func flock(t *testing.T, a *app) (waybill string, answers map[string]answer) {
	t.Helper()
	order := func(waybill string) api.DispatchInput {
		p := parcel(waybill, "li", canaryPhone)
		p.Consignee.Name, p.Consignee.Address = ptr(canaryName), ptr(canaryAddress)
		return p
	}
	me := a.consumer(canaryPhone)
	a.register("li", "phone-1", canaryToken)
	a.post(a.integrator(), "/v1/scans", api.ScanBatch{Scans: []api.ScanInput{{
		Waybill: "SF-5000", OutletID: "west", Code: "arrived", At: a.clock.Now().Format(time.RFC3339), Consignee: ptr(order("").Consignee),
	}}}).is(http.StatusOK)
	a.dispatch(order("SF-5001"))
	complaint := read[api.Complaint](a.post(a.integrator(), "/v1/complaints", api.ComplaintInput{
		Waybill: "SF-5001", Text: lockerEN + " " + canaryWords, Reporter: &api.Reporter{Name: ptr(canarySister), Phone: ptr("+8615987651234")},
	}), http.StatusCreated)
	read[api.Complaint](a.post(me, "/v1/complaints", api.ComplaintInput{Waybill: "SF-5001", Text: callEN + canaryWords, Category: &complaint.Category}), http.StatusOK)
	a.put(me, "/v1/me/preferences", api.PreferencesInput{
		Tags: []api.Tag{"evening_only", "no_weekend", "dog_or_child_at_home", "no_doorbell"}, Note: ptr(canaryNote),
	}).is(http.StatusOK)
	answers = map[string]answer{
		"dispatch":          a.post(a.integrator(), "/v1/dispatches", api.DispatchBatch{Dispatches: []api.DispatchInput{order("SF-5002")}}),
		"dispatch again":    a.post(a.integrator(), "/v1/dispatches", api.DispatchBatch{Dispatches: []api.DispatchInput{order("SF-5002")}}),
		"alerts":            a.get(a.courier("li"), "/v1/me/alerts"),
		"courier's case":    a.get(a.courier("li"), "/v1/complaints/"+complaint.ID),
		"device":            a.put(a.courier("li"), "/v1/me/devices/phone-1", api.DeviceInput{Provider: "fcm", Address: ptr(canaryToken), Locale: "en"}),
		"run":               a.get(a.courier("li"), "/v1/me/run"),
		"consumer's tags":   a.get(me, "/v1/me/tags"),
		"alert of that day": a.get(a.courier("li"), "/v1/me/alerts?after=1"),
	}
	for name, r := range answers {
		require.Less(t, r.status, 300, "%s: %s", name, r.body)
	}
	a.sendDue()
	require.NotEmpty(t, a.pushes())
	return "SF-5002", answers
}

func TestACourierIsToldWhatToDoAndNothingAboutThePerson(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		waybill, answers := flock(t, a)
		birds := canaries(a)
		for name, r := range answers {
			allowed := []string{}
			if name == "run" {
				allowed = []string{"note"} // it is meant for him
			}
			if name == "consumer's tags" {
				allowed = []string{"note"} // it is her own
			}
			shows(t, birds, name, string(r.body)+fmt.Sprint(r.header), allowed...)
		}
		for _, name := range []string{"dispatch", "alerts", "run"} {
			require.NotContains(t, string(answers[name].body), "complaint", name)
			require.NotContains(t, string(answers[name].body), "locker_without_consent", name)
		}
		for _, p := range a.pushes() {
			shows(t, birds, "push", strings.ReplaceAll(p.Raw, canaryToken, ""))
			require.NotContains(t, p.Raw, waybill, "a push shows the last four characters")
			for _, tag := range prefs.Tags {
				if !tag.MayLeaveInPush() {
					require.NotContains(t, p.Raw, string(tag))
				}
			}
			require.NotContains(t, p.Raw, "complaint")
		}
		last := a.pushes()[len(a.pushes())-1]
		require.Equal(t, []string{"call_first", "no_doorbell", "no_locker"}, last.Alerts[len(last.Alerts)-1].Tags, "what may leave does")
		require.Contains(t, string(answers["alerts"].body), "evening_only", "the app fetches the rest")
	})
}

func TestAnOpaquePushHoldsIDsAlone(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url, opaque)
		waybill, _ := flock(t, a)
		for _, p := range a.pushes() {
			require.NotContains(t, p.Raw, waybill[len(waybill)-4:])
			for _, tag := range prefs.Tags {
				require.NotContains(t, p.Raw, string(tag))
			}
			for _, alert := range p.Alerts {
				require.Equal(t, pushedAlert{ID: alert.ID}, alert)
			}
		}
	})
}

func TestErrorsAndLogsQuoteNobody(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		s := newScene(t, url)
		flock(t, s.app)
		birds := canaries(s.app)
		refused := 0
		for _, op := range operations(t, s) {
			if !op.writes() {
				continue
			}
			op.body = op.full[0]
			for pointer, f := range fields(t, op.body) {
				for name, bird := range birds {
					for _, value := range []any{bird + "\x00", strings.Repeat(bird+" ", 500), map[string]any{bird: bird}} {
						r := s.sendAs(op, with(t, op.body, f.place, value))
						text := string(r.body)
						if strings.HasSuffix(pointer, "/id") || strings.HasSuffix(pointer, "/alert_id") {
							// Verdicts name their item as it was sent.
							text = strings.ReplaceAll(text, strings.Trim(encoded(t, value), `"`), "")
						}
						if _, object := value.(map[string]any); object {
							// A pointer names the field that is wrong, as it was sent.
							text = strings.ReplaceAll(text, pointer+"/"+bird, pointer)
						}
						require.NotContains(t, text, bird, "%s %s with a %s", op.id, pointer, name)
						if r.status >= 400 {
							refused++
						}
					}
				}
			}
			broken := s.sendAs(op, `{"`+canaryWords+`": "`+canaryName+`" "`+canaryAddress+`"`)
			shows(t, birds, op.id+" malformed", string(broken.body), "complaint")
		}
		require.Greater(t, refused, 1000)
		for _, path := range []string{"/v1/complaints/" + canaryWords, "/v1/me/tags/" + canaryWords, "/v1/" + canaryWords, "/v1/evidence?kind=" + canaryWords, "/v1/evidence?cursor=" + canaryWords} {
			for _, who := range []string{s.hq(), s.consumer(anne), ""} {
				shows(t, birds, path, string(s.get(who, path).body))
			}
		}
		shows(t, birds, "the log", s.log.String())
		for _, secret := range s.tokens {
			require.NotContains(t, s.log.String(), secret)
		}
	})
}

func TestNothingThatIsAskedLeavesAPersonInLogsOrMetrics(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		s := newScene(t, url)
		flock(t, s.app)
		ops := operations(t, s)
		slices.SortStableFunc(ops, func(a, b operation) int { return strings.Compare(a.method, b.method) * -1 }) // erasures last
		for _, op := range ops {
			for _, role := range op.roles {
				s.send(op.method, s.of(role), op.path, op.body)
			}
		}
		me := s.consumer(canaryPhone)
		s.get(me, "/v1/me/export").is(http.StatusOK)
		s.get(s.hq(), "/v1/access-log?limit=200").is(http.StatusOK)
		s.delete(me, "/v1/me").is(http.StatusNoContent)
		s.operations.Eraser.Log = slog.New(slog.NewJSONHandler(s.log, nil))
		s.eraseDue()
		s.later(300 * aDay)
		_, err := (&privacy.Sweeper{Store: s.db, Photos: s.album.Sweep, Now: s.clock.Now, Log: s.operations.Eraser.Log}).SweepAll(t.Context())
		require.NoError(t, err)

		birds := canaries(s.app)
		shows(t, birds, "the log", s.log.String())
		w := httptest.NewRecorder()
		s.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		require.Contains(t, w.Body.String(), "doorstep_")
		shows(t, birds, "the metrics", w.Body.String())
		for _, secret := range s.tokens {
			require.NotContains(t, s.log.String(), secret)
			require.NotContains(t, w.Body.String(), secret)
		}
	})
}

func TestPersonalDataIsNotInTheDatabaseInClear(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		flock(t, a)
		read[api.Consent](a.post(a.consumer(canaryPhone), "/v1/me/consents", api.ConsentInput{Kind: "locker", Scope: "all", ReceiptMethod: "photo"},
			withHeader("Idempotency-Key", "k1")), http.StatusCreated)
		link := read[api.ConsumerLink](a.post(a.integrator(), "/v1/parcels/SF-5001/consumer-link", nil, withHeader("Idempotency-Key", "k2")), http.StatusCreated)
		kept := stored(t, url)
		require.Contains(t, kept, "SF-5002", "this is the data")
		birds := canaries(a)
		delete(birds, "consumer id") // a keyed hash is what it is kept by
		birds["link"] = link.Token
		for who, secret := range a.tokens {
			birds["token of "+string(who.Role)] = secret
		}
		for name, bird := range birds {
			require.NotContains(t, kept, bird, "the %s is in clear", name)
			require.NotContains(t, kept, hex.EncodeToString([]byte(bird)), "the %s is in clear", name)
		}
	})
}

// stored is all that a database keeps: SQLite's files as they are, PostgreSQL's
// rows as text.
func stored(t *testing.T, url string) string {
	t.Helper()
	var all strings.Builder
	if !strings.HasPrefix(url, "postgres") {
		files, err := filepath.Glob(url + "*")
		require.NoError(t, err)
		for _, name := range files {
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			all.Write(data)
		}
		return all.String()
	}
	db, err := sqlx.Open("pgx", url)
	require.NoError(t, err)
	defer db.Close()
	var tables []string
	require.NoError(t, db.Select(&tables, `select table_name from information_schema.tables where table_schema = 'public'`))
	for _, table := range tables {
		var rows []json.RawMessage
		require.NoError(t, db.Select(&rows, `select to_jsonb(t) from "`+table+`" t`))
		for _, row := range rows {
			all.Write(row)
		}
	}
	return all.String()
}
