package main

import (
	"bytes"
	"html"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/evidence/bundle"
	"doorstep/store/storetest"
)

// caseOf gives the house a small case: an alerted parcel, a call, a complaint.
func caseOf(t *testing.T, url string) (*app, api.Complaint) {
	a := newApp(t, url)
	a.register("li", "phone-1", "token-of-li")
	a.put(a.consumer(anne), "/v1/me/preferences", api.PreferencesInput{Tags: []api.Tag{"no_locker"}}).is(http.StatusOK)
	a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela))
	a.sendDue()
	a.clock.Add(20 * time.Minute)
	a.upload("li", records(a.clock.Now().Add(-20*time.Minute))...)
	a.clock.Add(time.Hour)
	return a, a.complain(a.consumer(anne), "SF1", lockerZH)
}

func (a *app) file(token, complaint string) api.CaseFile {
	a.t.Helper()
	return read[api.CaseFile](a.get(token, "/v1/complaints/"+complaint+"/evidence"), http.StatusOK)
}

func (a *app) bundle(token, complaint, query string) []byte {
	a.t.Helper()
	got := a.get(token, "/v1/complaints/"+complaint+"/bundle"+query)
	got.is(http.StatusOK)
	require.Equal(a.t, "application/zip", got.header.Get("Content-Type"))
	return got.body
}

func (a *app) logKey() string {
	a.t.Helper()
	return read[api.LogKey](a.get("", "/v1/log/key"), http.StatusOK).Key
}

func TestAFileAssemblesItself(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a, c := caseOf(t, url)
		f := a.file(a.manager("west"), c.ID)
		require.Equal(t, c.ID, f.Case.ComplaintID)
		require.Equal(t, "li", *f.Case.CourierID)
		var what []string
		for _, e := range f.Timeline {
			what = append(what, e.Text.En)
			require.NotEqual(t, e.Text.En, e.Text.ZhCN)
		}
		require.ElementsMatch(t, []string{
			"Parcel out for delivery", "Courier's instruction made or changed", "Push handed to the push service", "Call, answered",
			"Message delivered", "Delivery attempt", "Courier's position", "Photo taken", "Complaint filed", "Evidence file opened",
		}, what)
		call := f.Timeline[slices.IndexFunc(f.Timeline, func(e api.TimelineEntry) bool { return e.Kind == "call" })]
		require.Equal(t, 19*time.Minute.Milliseconds(), call.SkewMs)
		require.True(t, call.Late)
		require.True(t, call.ClockSkew)

		fact := func(list []api.CaseFact, name string) *api.CaseFact {
			at := slices.IndexFunc(list, func(f api.CaseFact) bool { return f.Fact == name })
			if at < 0 {
				return nil
			}
			return &list[at]
		}
		require.NotNil(t, fact(f.Supports.Courier, "contact.first_attempt_at"))
		require.NotNil(t, fact(f.Supports.Consumer, "alert.pushed_at"), "he was told")
		require.Equal(t, api.Truth("unknown"), fact(f.Facts, "contact.real_ring").Truth, "no provider, so no record is not false")
		missing := map[string]api.MissingFactReason{}
		for _, m := range f.Missing {
			missing[m.Fact] = m.Reason
		}
		require.Equal(t, api.MissingFactReason("never_recorded"), missing["sign.kind"])
		require.Equal(t, a.logKeyName(), strings.SplitN(f.Checkpoint.Origin, "/", 2)[0])

		a.get(a.manager("east"), "/v1/complaints/"+c.ID+"/evidence").is(http.StatusNotFound)
		a.get(a.courier("mo"), "/v1/complaints/"+c.ID+"/bundle").is(http.StatusNotFound)
		a.get(a.consumer(anne), "/v1/complaints/"+c.ID+"/evidence").is(http.StatusForbidden)
		a.get(a.hq(), "/v1/complaints/nothing/regulator-pack").is(http.StatusNotFound)
	})
}

// What the carrier's systems saw of the parcel, at whatever outlet, is sealed like
// the rest.
func TestScansStandInTheFile(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a, c := caseOf(t, url)
		scan := func(outlet string, system api.CodeSystem, code string, ago time.Duration) api.ScanInput {
			return api.ScanInput{Waybill: "SF1", OutletID: outlet, System: &system, Code: code, At: a.clock.Now().Add(-ago).Format(time.RFC3339)}
		}
		scans := api.ScanBatch{Scans: []api.ScanInput{
			scan("hub", "doorstep", "arrived_city", 9*time.Hour), scan("west", "upu", "EDG", 8*time.Hour),
			scan("west", "doorstep", "gate-7", 3*time.Hour), scan("west", "doorstep", "gate-7", 3*time.Hour),
		}}
		for range 2 { // sent again, it changes nothing
			a.post(a.integrator(), "/v1/scans", scans).is(http.StatusOK)
		}
		for _, who := range []string{a.manager("west"), a.courier("li")} {
			var seen []string
			for _, e := range a.file(who, c.ID).Timeline {
				if e.Kind == "scan" {
					seen = append(seen, e.Text.En)
					require.Equal(t, api.EvidenceSource("server"), *e.Source)
					require.True(t, e.Late)
				}
			}
			require.Equal(t, []string{"Parcel scanned: Arrived in the city", "Parcel scanned: Out for delivery", "Parcel scanned"}, seen)

			zip := a.bundle(who, c.ID, "")
			report, err := bundle.Verify(zip, a.logKey(), "")
			require.NoError(t, err)
			require.Empty(t, report.Problems)
			require.Len(t, report.Others, 1, "the hub's log")
			require.Contains(t, string(zip), `"value":"gate-7"`)
		}
		page := a.get(a.manager("west"), "/v1/complaints/"+c.ID+"/regulator-pack?lang=en", withHeader("Accept", "text/html"))
		require.Contains(t, string(page.body), "Parcel scanned: Out for delivery")
		mine := a.evidence("west", "&kind=scan&waybill=SF1")
		require.Len(t, mine, 2)
		require.Equal(t, "gate-7", *mine[0].Code)
		require.Equal(t, []string{"EDG", "upu", "out_for_delivery"}, []string{*mine[1].Code, *mine[1].System, *mine[1].Status})
	})
}

func (a *app) logKeyName() string { return strings.SplitN(a.logKey(), "+", 2)[0] }

func TestACourierSeesWhoOpenedHisFileAndNothingOfTheConsumer(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a, c := caseOf(t, url)
		other := a.post(a.consumer(anne), "/v1/complaints", api.ComplaintInput{Waybill: "SF1", Text: "而且态度很差", Category: ptr(api.Category("attitude"))})
		other.is(http.StatusCreated)
		a.post(a.manager("west"), "/v1/parcels/SF1/tags/no_locker/feedback", api.FeedbackInput{Verdict: "right"}).is(http.StatusOK)
		a.file(a.manager("west"), c.ID)
		a.bundle(a.hq(), c.ID, "")

		var opened []string
		mine := a.file(a.courier("li"), c.ID)
		complaints := 0
		for _, e := range mine.Timeline {
			switch e.Kind {
			case "access":
				opened = append(opened, *e.By+" "+*e.Outcome)
			case "complaint":
				complaints++
			}
			require.NotEqual(t, "tag_verdict", e.Kind)
		}
		require.Equal(t, []string{"Sun Yan evidence_file", "Qian Hui bundle", "li evidence_file"}, opened)
		require.Equal(t, 1, complaints, "his case alone")

		zip := a.bundle(a.courier("li"), c.ID, "")
		for _, secret := range []string{lockerZH, "态度很差", anne, "13800000001"} {
			require.NotContains(t, string(zip), secret)
		}
		report, err := bundle.Verify(zip, a.logKey(), "")
		require.NoError(t, err)
		require.Empty(t, report.Problems)
	})
}

func TestABundleVerifiesAndComesOutTheSame(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a, c := caseOf(t, url)
		first := a.file(a.hq(), c.ID).Checkpoint
		a.clock.Add(time.Hour)
		zip := a.bundle(a.manager("west"), c.ID, "")
		report, err := bundle.Verify(zip, a.logKey(), "")
		require.NoError(t, err)
		require.Empty(t, report.Problems)
		require.Equal(t, c.ID, report.Case)
		require.Greater(t, report.Size, first.Size)

		a.clock.Add(time.Hour)
		at := "?size=" + strconv.FormatInt(report.Size, 10)
		require.True(t, bytes.Equal(zip, a.bundle(a.manager("west"), c.ID, at)), "as of the same checkpoint")
		require.True(t, bytes.Equal(zip, a.bundle(a.manager("west"), c.ID, at)))

		since := a.bundle(a.manager("west"), c.ID, "?since="+strconv.FormatInt(first.Size, 10))
		report, err = bundle.Verify(since, a.logKey(), first.Checkpoint)
		require.NoError(t, err)
		require.Empty(t, report.Problems)
		report, err = bundle.Verify(zip, a.logKey(), first.Checkpoint)
		require.NoError(t, err)
		require.NotEmpty(t, report.Problems, "no proof from that size is in it")

		a.get(a.hq(), "/v1/complaints/"+c.ID+"/bundle?size=0").is(http.StatusUnprocessableEntity)
		a.get(a.hq(), "/v1/complaints/"+c.ID+"/bundle?size=999999").is(http.StatusUnprocessableEntity)
		a.get(a.hq(), "/v1/complaints/"+c.ID+"/bundle?since=999999").is(http.StatusUnprocessableEntity)
	})
}

// An earlier state of the log has no erasure that would say why values are gone.
func TestABundleOfBeforeAnErasureIsRefused(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a, c := caseOf(t, url)
		_, report := a.verified(a.manager("west"), c.ID)
		before := "/v1/complaints/" + c.ID + "/bundle?size=" + strconv.FormatInt(report.Size, 10)
		a.get(a.manager("west"), before).is(http.StatusOK)
		a.act(a.consumer(anne), c.ID, "withdrawal", nil)
		a.delete(a.consumer(anne), "/v1/me").is(http.StatusNoContent)
		require.Equal(t, "erased_since", a.get(a.manager("west"), before).problem(http.StatusConflict).Code)
		a.verified(a.manager("west"), c.ID)

		beyond := a.get(a.hq(), "/v1/complaints/"+c.ID+"/bundle?since=999999").problem(http.StatusUnprocessableEntity)
		require.Equal(t, []string{"/since unknown_size"}, at(beyond.Errors), "by the name that the caller gave")
	})
}

// The records of a parcel stay in the log of the outlet where they were made.
func TestARerouteTakesNothingOutOfTheFile(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a, c := caseOf(t, url)
		a.put(a.integrator(), "/v1/outlets/east", api.OutletInput{Name: "East"}).is(http.StatusOK)
		kinds := func(f api.CaseFile) (list []string) {
			for _, e := range f.Timeline {
				if e.Kind != "access" {
					list = append(list, string(e.Kind))
				}
			}
			return list
		}
		before := a.file(a.manager("west"), c.ID)
		require.Empty(t, before.OtherCheckpoints)
		a.act(a.manager("west"), c.ID, "reroute", api.ComplaintReroute{To: "east", Reason: "not ours"})
		a.get(a.manager("west"), "/v1/complaints/"+c.ID+"/evidence").is(http.StatusNotFound)

		after := a.file(a.manager("east"), c.ID)
		require.Subset(t, kinds(after), kinds(before))
		require.Equal(t, factOf(t, before.Facts, "contact.first_attempt_at"), factOf(t, after.Facts, "contact.first_attempt_at"))
		require.Equal(t, a.logKeyName()+"/default/east", after.Checkpoint.Origin)
		require.Len(t, after.OtherCheckpoints, 1)
		require.Equal(t, before.Checkpoint.Origin, after.OtherCheckpoints[0].Origin)
		require.NotEmpty(t, a.file(a.courier("li"), c.ID).OtherCheckpoints, "it is still his case")

		zip := a.bundle(a.manager("east"), c.ID, "")
		report, err := bundle.Verify(zip, a.logKey(), "")
		require.NoError(t, err)
		require.Empty(t, report.Problems)
		require.Len(t, report.Others, 1)
		a.clock.Add(time.Hour)
		a.dispatch(parcel("SF8", "li", carl)) // the other log grows, and is signed anew
		a.seal()
		a.checkpoint("?outlet_id=west")
		require.Equal(t, zip, a.bundle(a.manager("east"), c.ID, "?size="+strconv.FormatInt(report.Size, 10)), "as of the same checkpoints")

		pack := read[api.RegulatorPack](a.get(a.manager("east"), "/v1/complaints/"+c.ID+"/regulator-pack"), http.StatusOK)
		origins := map[string]bool{}
		for _, p := range pack.Proofs {
			origins[p.Origin] = true
		}
		require.Equal(t, map[string]bool{pack.Checkpoint.Origin: true, pack.OtherCheckpoints[0].Origin: true}, origins)
		opened := read[api.AccessPage](a.get(a.manager("east"), "/v1/access-log"), http.StatusOK)
		require.NotEmpty(t, opened.Items, "who opened it is in the log of the outlet that has the case")
	})
}

func TestTheVerifyCommandNeedsTheKeyAndSaysHowEachFieldStands(t *testing.T) {
	url := filepath.Join(t.TempDir(), "doorstep.db")
	a, c := caseOf(t, url)
	old := a.file(a.hq(), c.ID).Checkpoint
	file, checkpoint := filepath.Join(t.TempDir(), "case.zip"), filepath.Join(t.TempDir(), "old.txt")
	zip := a.bundle(a.courier("li"), c.ID, "?since="+strconv.FormatInt(old.Size, 10))
	require.NoError(t, os.WriteFile(file, zip, 0o600))
	require.NoError(t, os.WriteFile(checkpoint, []byte(old.Checkpoint), 0o600))

	verify := func(args ...string) (string, error) {
		var out, errs bytes.Buffer
		err := run(t.Context(), append([]string{"verify"}, args...), &streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		return out.String(), err
	}
	out, err := verify(file)
	require.ErrorContains(t, err, "/v1/log/key")
	require.Empty(t, out)
	out, err = verify("--key", a.logKey(), "--since", checkpoint, file)
	require.NoError(t, err)
	require.Regexp(t, `(?m)^  text +withheld`, out)
	require.Regexp(t, `(?m)^  outcome +ok`, out)
	require.Contains(t, out, "holds: every byte of")

	zip[len(zip)/2] ^= 1
	require.NoError(t, os.WriteFile(file, zip, 0o600))
	_, err = verify("--key", a.logKey(), file)
	require.ErrorContains(t, err, "does not hold")
}

func TestARegulatorsPackIsAPageToo(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a, c := caseOf(t, url)
		path := "/v1/complaints/" + c.ID + "/regulator-pack"
		pack := read[api.RegulatorPack](a.get(a.manager("west"), path), http.StatusOK)
		require.Len(t, pack.Contacts, 3)
		require.Equal(t, len(pack.Timeline), len(pack.Proofs))
		require.Equal(t, a.logKey(), pack.LogKey)
		require.Equal(t, c.Clocks, pack.Clocks)

		for lang, words := range map[string][3]string{"en": {"Call, answered", "<dd>filed</dd>", "(running)"}, "zh-CN": {"通话：已接听", "<dd>已提交</dd>", "(进行中)"}} {
			page := a.get(a.manager("west"), path+"?lang="+lang, withHeader("Accept", "text/html"))
			page.is(http.StatusOK)
			for _, said := range words {
				require.Contains(t, string(page.body), said)
			}
			require.Contains(t, html.UnescapeString(string(page.body)), pack.LogKey)
			require.Contains(t, page.header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-")
			require.Equal(t, lang, page.header.Get("Content-Language"))
			require.NotContains(t, string(page.body), "13800000001")
			require.NotContains(t, string(page.body), "pack.", "every text exists")
		}
	})
}
