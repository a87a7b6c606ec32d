package parcels_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep"
	"doorstep/parcels"
	"doorstep/prefs"
)

var morning = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)

// town is a consumer with three parcels at two addresses, and what happens to
// them, told twice: as the gate is given it, and as a plain list of who allowed,
// forbade and signed what when.
type town struct {
	*rapid.T
	now       time.Time
	profile   prefs.Profile
	consents  []prefs.Consent
	made      map[string][]parcels.SignFor
	said      []word
	overrides int // that the gate counted
}

// word is something that the consumer said, as it came.
type word struct {
	at      time.Time
	what    string // "give", "revoke", "complain"
	consent prefs.Consent
	kind    prefs.ConsentKind
}

var doors = []prefs.Door{{Waybill: "SF1", AddressID: "a"}, {Waybill: "SF2", AddressID: "a"}, {Waybill: "SF3", AddressID: "b"}}

// allowed folds the words up to t: does any consent to it still stand?
func (w *town) allowed(door prefs.Door, kind prefs.ConsentKind, facility string, t time.Time) bool {
	standing := map[string]prefs.Consent{}
	for _, said := range w.said {
		if said.at.After(t) {
			break
		}
		switch said.what {
		case "give":
			standing[said.consent.ID] = said.consent
		case "revoke":
			delete(standing, said.consent.ID)
		case "complain":
			for id, c := range standing {
				if c.Kind == said.kind && c.GivenAt.Before(said.at) {
					delete(standing, id)
				}
			}
		}
	}
	for _, c := range standing {
		here := c.Scope == prefs.Standing || c.Scope == prefs.ForParcel(door.Waybill) || c.Scope == prefs.AtAddress(door.AddressID)
		open := c.ValidUntil.IsZero() || t.Before(c.ValidUntil)
		if c.Kind == kind && here && open && (c.Facility == "" || c.Facility == facility) {
			return true
		}
	}
	return false
}

func (w *town) give() {
	door := rapid.SampledFrom(doors).Draw(w.T, "door")
	c := prefs.Consent{
		ID: strconv.Itoa(len(w.consents)), Kind: rapid.SampledFrom(prefs.ConsentKinds).Draw(w.T, "kind"),
		Scope:    rapid.SampledFrom([]prefs.Scope{prefs.Standing, prefs.ForParcel(door.Waybill), prefs.AtAddress(door.AddressID)}).Draw(w.T, "scope"),
		Facility: rapid.SampledFrom([]string{"", "", "7"}).Draw(w.T, "facility"), ReceiptMethod: prefs.Unspecified, GivenAt: w.now,
	}
	if rapid.IntRange(0, 3).Draw(w.T, "ends") == 0 {
		c.ValidUntil = w.now.Add(time.Hour)
	}
	w.consents = append(w.consents, c)
	w.said = append(w.said, word{at: w.now, what: "give", consent: c})
}

func (w *town) revoke() {
	if len(w.consents) == 0 {
		return
	}
	c := &w.consents[rapid.IntRange(0, len(w.consents)-1).Draw(w.T, "which")]
	if c.RevokedAt.IsZero() {
		c.RevokedAt = w.now
		w.said = append(w.said, word{at: w.now, what: "revoke", consent: *c})
	}
}

func (w *town) complain() {
	tag := rapid.SampledFrom([]prefs.Tag{prefs.NoLocker, prefs.NoPickupPoint, prefs.SignInPerson}).Draw(w.T, "tag")
	w.profile.Evidence = append(w.profile.Evidence, prefs.Evidence{Tag: tag, Weight: 4, At: w.now})
	for _, kind := range prefs.ConsentKinds {
		for _, against := range kind.Contradicts() {
			if against == tag {
				w.said = append(w.said, word{at: w.now, what: "complain", kind: kind})
			}
		}
	}
}

// hand draws a sign-for whose clock may lie.
func (w *town) hand(door prefs.Door) parcels.SignFor {
	s := parcels.SignFor{
		Act: parcels.Signed, Method: rapid.SampledFrom(parcels.Methods).Draw(w.T, "method"), CourierNo: 1, ReceivedAt: w.now,
		At: w.now.Add(time.Duration(rapid.IntRange(-600, 60).Draw(w.T, "minutes")) * time.Minute),
	}
	s.Facility = rapid.SampledFrom([]string{"", "7", "8"}).Draw(w.T, "at facility")
	s.Waybill = doorstep.Waybill(door.Waybill)
	return s
}

// step lets one thing happen, and holds the gate to the plain list.
func (w *town) step() {
	w.now = w.now.Add(time.Duration(rapid.IntRange(1, 20).Draw(w.T, "later")) * time.Minute)
	door := rapid.SampledFrom(doors).Draw(w.T, "parcel")
	c := parcels.Case{Door: door, Profile: w.profile, Consents: w.consents, DispatchedAt: morning, Made: w.made[door.Waybill]}
	_, signed := c.Standing()
	var cleared parcels.Clearance
	var err error
	s := w.hand(door)
	switch rapid.SampledFrom([]string{"give", "give", "revoke", "complain", "sign", "sign", "sign", "override", "correct", "withdraw"}).Draw(w.T, "what") {
	case "give":
		w.give()
		return
	case "revoke":
		w.revoke()
		return
	case "complain":
		w.complain()
		return
	case "sign":
		cleared, err = c.Clear(s)
	case "override":
		s.By, s.Reason = "Sun Yan", "flood"
		cleared, err = c.Override(s)
	case "correct":
		s.Act, s.Reason = parcels.Corrected, "slip"
		cleared, err = c.Correct(s)
	case "withdraw":
		s.Act, s.By, s.Reason = parcels.Withdrawn, "Sun Yan", "slip"
		cleared, err = c.Correct(s)
	}
	record, ok := cleared.Record()
	require.Equal(w, err == nil, ok)
	judged := s.At
	if judged.After(w.now) {
		judged = w.now
	}
	kind, needed := s.Method.Needs()
	lawful := !needed || w.allowed(door, kind, s.Facility, judged)
	if err != nil {
		var missing *parcels.ConsentRequiredError
		if require.ErrorIs(w, err, doorstep.ErrConflict); asConsent(err, &missing) {
			require.False(w, lawful, "refused although it was allowed")
		}
		return
	}
	require.Equal(w, len(w.made[door.Waybill])+1, record.Version)
	switch record.Ground {
	case parcels.ToConsignee:
		require.Equal(w, parcels.InPerson, record.Method)
	case parcels.ByConsent:
		require.True(w, lawful, "signed for without consent")
	case parcels.ByOverride:
		require.False(w, lawful, "an override that was not needed")
		require.NotEmpty(w, record.By)
		require.False(w, signed)
		w.overrides++
	case parcels.NotSigned:
		require.Equal(w, parcels.Withdrawn, record.Act)
	}
	w.made[door.Waybill] = append(w.made[door.Waybill], record)
}

func asConsent(err error, missing **parcels.ConsentRequiredError) bool {
	e, ok := err.(*parcels.ConsentRequiredError)
	*missing = e
	return ok
}

// Over 100,000 random steps there is no sign-for without consent but the
// overrides that are counted.
func TestNoSignForWithoutConsentButCountedOverrides(t *testing.T) {
	steps, without, overrides, kept := 0, 0, 0, 0
	for steps < 100_000 {
		rapid.Check(t, func(t *rapid.T) {
			w := &town{T: t, now: morning, made: map[string][]parcels.SignFor{}}
			for range 100 {
				w.step()
				steps++
			}
			for waybill, list := range w.made {
				for _, s := range list {
					kept++
					kind, needed := s.Method.Needs()
					judged := s.At
					if judged.After(s.ReceivedAt) {
						judged = s.ReceivedAt
					}
					if needed && !w.allowed(doorOf(waybill), kind, s.Facility, judged) {
						without++
					}
				}
			}
			overrides += w.overrides
		})
		if t.Failed() {
			return
		}
	}
	require.Equal(t, overrides, without)
	require.Positive(t, overrides)
	require.Greater(t, kept, overrides)
	t.Logf("%d steps, %d records, %d overrides", steps, kept, overrides)
}

func doorOf(waybill string) prefs.Door {
	for _, d := range doors {
		if d.Waybill == waybill {
			return d
		}
	}
	return prefs.Door{}
}

// A clearance that the gate did not make holds nothing, and nothing but the gate
// makes one that does.
func TestOnlyTheGateClears(t *testing.T) {
	_, ok := parcels.Clearance{}.Record()
	require.False(t, ok)
	makers, writers := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					if name, ok := n.Type.(*ast.Ident); ok && name.Name == "Clearance" && len(n.Elts) > 0 {
						makers[filepath.Base(path)] = true
					}
				case *ast.BasicLit:
					if strings.Contains(n.Value, "insert into sign_for ") {
						writers[f.Name.Name] = true
					}
				}
				return true
			})
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, map[string]bool{"gate.go": true}, makers)
	require.Equal(t, map[string]bool{"addSignFor": true}, writers)
}

func TestTheMostSpecificWordDecides(t *testing.T) {
	at := func(minutes int) time.Time { return morning.Add(time.Duration(minutes) * time.Minute) }
	locker := func(id string, scope prefs.Scope, given int, receipt string) prefs.Consent {
		return prefs.Consent{ID: id, Kind: prefs.Locker, Scope: scope, ReceiptMethod: receipt, GivenAt: at(given)}
	}
	say := func(scope prefs.Scope, tag prefs.Tag, minutes int) prefs.Preference {
		return prefs.Preference{Scope: scope, Tag: tag, On: true, SetAt: at(minutes)}
	}
	mine, home := prefs.ForParcel("SF1"), prefs.AtAddress("a")
	all := locker("all", prefs.Standing, 0, prefs.Unspecified)
	for _, tt := range []struct {
		name     string
		consents []prefs.Consent
		said     []prefs.Preference
		want     string // the consent's id, or what is missing
	}{
		{"nothing said", nil, nil, "consent"},
		{"a standing consent", []prefs.Consent{all}, nil, "all"},
		{"the parcel's asks for a photo", []prefs.Consent{all, locker("mine", mine, 0, prefs.ByPhoto)}, nil, "photo_sha256"},
		{"the address's asks for a code, the standing one does not", []prefs.Consent{locker("home", home, 0, prefs.ByPickupCode), all}, nil, "all"},
		{"no locker for this parcel", []prefs.Consent{all}, []prefs.Preference{say(mine, prefs.NoLocker, -5)}, "consent"},
		{"to the door for this parcel", []prefs.Consent{all}, []prefs.Preference{say(mine, prefs.ToDoor, 5)}, "consent"},
		{"no locker since", []prefs.Consent{all}, []prefs.Preference{say(prefs.Standing, prefs.NoLocker, 5)}, "consent"},
		{"no locker before", []prefs.Consent{all}, []prefs.Preference{say(prefs.Standing, prefs.NoLocker, -5)}, "all"},
		{"no locker later than the sign-for", []prefs.Consent{all}, []prefs.Preference{say(mine, prefs.NoLocker, 31)}, "all"},
		{"no locker at home, but a consent for all", []prefs.Consent{all}, []prefs.Preference{say(home, prefs.NoLocker, 5)}, "all"},
		{"no locker at all, but a consent for this parcel", []prefs.Consent{locker("mine", mine, 0, prefs.Unspecified)}, []prefs.Preference{say(prefs.Standing, prefs.NoLocker, 5)}, "mine"},
		{"no locker for another parcel", []prefs.Consent{all}, []prefs.Preference{say(prefs.ForParcel("SF2"), prefs.NoLocker, 5)}, "all"},
		{"taken back", []prefs.Consent{all}, []prefs.Preference{{Scope: mine, Tag: prefs.NoLocker, SetAt: at(5)}}, "all"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := parcels.Case{Door: prefs.Door{Waybill: "SF1", AddressID: "a"}, Consents: tt.consents, Profile: prefs.Profile{Preferences: tt.said}, DispatchedAt: morning}
			cleared, err := c.Clear(parcels.SignFor{Act: parcels.Signed, Method: parcels.InLocker, At: at(30), ReceivedAt: at(40)})
			record, ok := cleared.Record()
			if !ok {
				var missing *parcels.ConsentRequiredError
				require.True(t, asConsent(err, &missing), "%v", err)
				require.Equal(t, []parcels.Missing{parcels.Missing(tt.want)}, missing.Missing)
				return
			}
			require.Equal(t, tt.want, record.ConsentID)
		})
	}
}

func TestAttemptsComeToWhatTheRuleSays(t *testing.T) {
	made := func(list ...string) (attempts []parcels.Attempt) {
		for _, pair := range list {
			outcome, reason, _ := strings.Cut(pair, " ")
			attempts = append(attempts, parcels.Attempt{Outcome: outcome, Reason: reason})
		}
		return attempts
	}
	for _, tt := range []struct {
		attempts []parcels.Attempt
		signed   bool
		counted  int
		next     []parcels.Way
	}{
		{nil, false, 0, []parcels.Way{parcels.Deliver}},
		{made("failed nobody_home"), false, 1, []parcels.Way{parcels.Deliver}},
		{made("failed nobody_home", "failed bad_weather", "postponed asked_for_another_time"), false, 1, []parcels.Way{parcels.Deliver}},
		{made("failed nobody_home", " "), false, 2, []parcels.Way{parcels.Deliver, parcels.Return, parcels.Reroute}},
		{made("failed nobody_home", "failed no_access", "failed other"), false, 3, []parcels.Way{parcels.Deliver, parcels.Return, parcels.Reroute}},
		{made("refused refused_parcel"), false, 0, []parcels.Way{parcels.Deliver, parcels.Return}},
		{made("failed nobody_home", "failed nobody_home"), true, 2, nil},
	} {
		got := parcels.TallyOf(tt.attempts, tt.signed)
		require.Equal(t, tt.counted, got.Counted, "%+v", tt.attempts)
		require.Equal(t, tt.next, got.Next, "%+v", tt.attempts)
		require.Equal(t, got.Counted >= 2, got.Chargeable())
	}
}
