package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/api/replay"
	"doorstep/complaints"
	"doorstep/evidence"
	"doorstep/parcels"
	"doorstep/prefs"
	"doorstep/store"
	"doorstep/store/storetest"
)

func (h *house) consumer(phone string) doorstep.Actor {
	h.t.Helper()
	p, err := doorstep.ParsePhone(phone)
	require.NoError(h.t, err)
	return doorstep.Actor{Role: doorstep.RoleConsumer, Company: h.integrator.Company, Consumer: h.db.Consumer(h.integrator.Company, p)}
}

func (h *house) book() *prefs.Book {
	return &prefs.Book{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
}

// tags are what a dispatch to phone would be told now.
func (h *house) tags(phone string) []prefs.Tag {
	h.t.Helper()
	h.clock.Add(24 * time.Hour) // a dispatch of its own
	return parcels.TagsOf(h.dispatch(order("PROBE", "prober", phone))[0].Decisions)
}

func TestAScopeIsReplacedWhole(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx, me, book := context.Background(), h.consumer(wang), h.book()
		h.dispatch(order("SF1", "li", wang))
		set := func(in prefs.Preferences) prefs.ScopeChange {
			got, err := book.SetPreferences(ctx, me, in)
			require.NoError(t, err)
			return got
		}
		set(prefs.Preferences{Tags: []string{"to_door", "locker_ok"}, Note: "side door"})
		require.Equal(t, []prefs.Tag{prefs.LockerOK, prefs.ToDoor}, h.tags(wang))
		require.Equal(t, []prefs.ConsentKind{prefs.Locker}, h.permitted(wang, "SF1"))

		set(prefs.Preferences{Tags: []string{"no_locker"}, Waybill: "sf1"})
		require.Equal(t, []prefs.Tag{prefs.LockerOK, prefs.ToDoor}, h.tags(wang), "another parcel")

		got := set(prefs.Preferences{Tags: []string{"call_first", "no_locker", "locker_ok"}})
		require.Equal(t, []prefs.Tag{prefs.CallFirst, prefs.NoLocker}, got.Tags, "the stricter wins")
		require.Equal(t, []prefs.Tag{prefs.CallFirst, prefs.NoLocker}, h.tags(wang))
		require.Empty(t, h.permitted(wang, "SF1"), "the consent ended with its permission")
		notes, err := h.db.Notes(ctx, []doorstep.ConsumerID{me.Consumer})
		require.NoError(t, err)
		require.Empty(t, notes, "and so did the note")

		_, err = book.SetPreferences(ctx, me, prefs.Preferences{Tags: []string{}, Waybill: "NOT-MINE"})
		require.ErrorIs(t, err, doorstep.ErrNotFound)
	})
}

// permitted are the drops that phone allows for one parcel now.
func (h *house) permitted(phone, waybill string) []prefs.ConsentKind {
	h.t.Helper()
	me := h.consumer(phone)
	consents, err := h.db.Consents(context.Background(), me.Consumer, prefs.ConsentPage{Limit: 100})
	require.NoError(h.t, err)
	profiles, err := h.db.Profiles(context.Background(), []doorstep.ConsumerID{me.Consumer})
	require.NoError(h.t, err)
	return profiles[me.Consumer].Permitted(consents, prefs.Door{Waybill: waybill}, "", h.clock.Now())
}

func TestAConfirmedTagIsTheConsumersOwnWord(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx, me, book := context.Background(), h.consumer(wang), h.book()
		h.dispatch(order("SF1", "li", wang))
		h.complain("SF1", "lockers are fine", prefs.LockerOK, prefs.EveningOnly)
		require.Empty(t, h.tags(wang), "only asked about")

		_, err := book.Confirm(ctx, me, "locker_ok")
		require.NoError(t, err)
		require.Equal(t, []prefs.Tag{prefs.LockerOK}, h.tags(wang))
		require.Equal(t, []prefs.ConsentKind{prefs.Locker}, h.permitted(wang, "X"))

		_, err = book.Confirm(ctx, me, "no_locker")
		require.NoError(t, err)
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, h.tags(wang), "the opposite is no longer said")
		require.Empty(t, h.permitted(wang, "X"))

		require.NoError(t, book.Remove(ctx, me, "no_locker"))
		require.Empty(t, h.tags(wang))
		_, err = book.Confirm(ctx, me, "nonsense")
		require.ErrorIs(t, err, doorstep.ErrNotFound)
	})
}

func TestLearningOffTeachesNothing(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx, me, book := context.Background(), h.consumer(wang), h.book()
		h.wishful()
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, h.tags(wang))
		require.NoError(t, book.SetLearning(ctx, me, false))
		require.Empty(t, h.tags(wang))
		h.dispatch(order("SF9", "li", wang))
		require.Empty(t, h.complain("SF9", "ring first", prefs.CallFirst).Learned)
		require.NoError(t, book.SetLearning(ctx, me, true))
		require.Equal(t, []prefs.Tag{prefs.NoLocker}, h.tags(wang))
	})
}

func TestALinkToOneParcelReachesNothingElse(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx, book := context.Background(), h.book()
		h.wishful()
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang))
		link := h.consumer(wang)
		link.Waybill = "SF1"
		refused := func(err error) { require.ErrorIs(t, err, doorstep.ErrForbidden) }
		_, err := book.SetPreferences(ctx, link, prefs.Preferences{Tags: []string{"to_door"}})
		refused(err)
		_, err = book.Confirm(ctx, link, "to_door")
		refused(err)
		refused(book.SetLearning(ctx, link, false))
		_, err = book.GiveConsent(ctx, link, prefs.ConsentRequest{Kind: "locker", Scope: "all", ReceiptMethod: "photo"})
		refused(err)
		_, err = book.SetPreferences(ctx, link, prefs.Preferences{Tags: []string{"to_door"}, Waybill: "SF2"})
		require.ErrorIs(t, err, doorstep.ErrNotFound)
		tags, _, err := book.Tags(ctx, link)
		require.NoError(t, err)
		require.Empty(t, tags, "nothing of what the person once complained about")

		_, err = book.SetPreferences(ctx, link, prefs.Preferences{Tags: []string{"to_door"}, Waybill: "SF1"})
		require.NoError(t, err)
		standing, err := book.GiveConsent(ctx, h.consumer(wang), prefs.ConsentRequest{Kind: "locker", Scope: "all", ReceiptMethod: "photo"})
		require.NoError(t, err)
		require.ErrorIs(t, book.RevokeConsent(ctx, link, standing.ID), doorstep.ErrNotFound)
		consents, err := book.Consents(ctx, link, prefs.ConsentPage{Limit: 10})
		require.NoError(t, err)
		require.Empty(t, consents)
	})
}

func TestAComplaintThatIsOpenIsAddedTo(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.dispatch(order("SF1", "li", wang))
		first := h.complain("SF1", "locker again", prefs.NoLocker)
		require.False(t, first.Merged)
		h.clock.Add(time.Hour)
		second := h.complain("SF1", "and nobody rang", prefs.NoLocker, prefs.CallFirst)
		require.True(t, second.Merged)
		require.Equal(t, first.ID, second.ID)
		require.Equal(t, first.Period.Clock(complaints.PromiseClock), second.Period.Clock(complaints.PromiseClock), "the promise does not move")
		require.Equal(t, []prefs.Tag{prefs.NoLocker, prefs.CallFirst}, second.Learned)
		require.Equal(t, "locker again\nand nobody rang", second.Text)
		records := len(h.evidence("west"))
		require.True(t, h.complain("SF1", "and nobody rang", prefs.CallFirst).Merged)
		require.Len(t, h.evidence("west"), records, "the same words again add nothing")
		profiles, err := h.db.Profiles(context.Background(), []doorstep.ConsumerID{h.consumer(wang).Consumer})
		require.NoError(t, err)
		require.Len(t, profiles[h.consumer(wang).Consumer].Evidence, 2, "one complaint teaches a tag once")
	})
}

func TestARepeatIsKnownWithinThirtyDays(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.dispatch(order("SF1", "li", wang), order("SF2", "li", wang), order("SF3", "li", zhao))
		first := h.complain("SF1", "a")
		h.clock.Add(30 * 24 * time.Hour)
		require.Equal(t, first.ID, h.complain("SF2", "b").RepeatOf)
		require.Empty(t, h.complain("SF3", "c").RepeatOf, "somebody else's")
		h.clock.Add(30*24*time.Hour + time.Second)
		h.dispatch(order("SF4", "li", wang))
		require.Empty(t, h.complain("SF4", "d").RepeatOf)
	})
}

func TestAComplaintIsSeenByThoseItConcerns(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx := context.Background()
		h.dispatch(order("SF1", "li", wang), order("SF2", "chen", zhao))
		c := h.complain("SF1", "locker again")
		stranger := h.integrator
		stranger.Company++
		link := h.consumer(wang)
		link.Waybill = "SF2"
		for name, who := range map[string]struct {
			actor doorstep.Actor
			sees  bool
		}{
			"integrator":        {h.integrator, true},
			"hq":                {doorstep.Actor{Role: doorstep.RoleHQ, Company: h.integrator.Company}, true},
			"another company":   {stranger, false},
			"its courier":       {h.courier("li"), true},
			"another courier":   {h.courier("chen"), false},
			"its outlet":        {h.manager("west"), true},
			"another outlet":    {h.manager("east"), false},
			"its consumer":      {h.consumer(wang), true},
			"another consumer":  {h.consumer(zhao), false},
			"another's link":    {link, false},
			"an unknown outlet": {h.manager("nowhere"), false},
		} {
			_, err := h.db.Complaint(ctx, who.actor, c.ID)
			if who.sees {
				require.NoError(t, err, name)
			} else {
				require.ErrorIs(t, err, doorstep.ErrNotFound, name)
			}
			list, err := h.db.Complaints(ctx, who.actor, complaints.Query{Limit: 10})
			require.NoError(t, err, name)
			require.Len(t, list, map[bool]int{true: 1}[who.sees], name)
		}
	})
}

func TestAComplaintMayComeBeforeTheDispatch(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx := context.Background()
		scanner := parcels.Scanner{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
		scan := parcels.ScanOrder{Waybill: "SF1", OutletID: "east", Code: "arrived_outlet", At: "2026-03-01T10:00:00Z"}
		named := scan
		named.Code, named.Consignee = "sorted", &parcels.ConsigneeOrder{Phone: wang}
		verdicts, err := scanner.Scan(ctx, h.integrator, []parcels.ScanOrder{scan, named, scan, {Waybill: "?"}})
		require.NoError(t, err)
		statuses := []evidence.Status{}
		for _, v := range verdicts {
			statuses = append(statuses, v.Status)
		}
		require.Equal(t, []evidence.Status{"accepted", "accepted", "duplicate", "rejected"}, statuses)
		c := h.complain("SF1", "where is it")
		require.Equal(t, "east", c.OutletID)

		h.dispatch(order("SF1", "li", wang))
		again, err := scanner.Scan(ctx, h.integrator, []parcels.ScanOrder{scan})
		require.NoError(t, err)
		require.Equal(t, evidence.Duplicate, again[0].Status)
	})
}

func TestUploadsAreKeptOnceAndOnlyOfOwnParcels(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx := context.Background()
		h.dispatch(order("SF1", "li", wang), order("SF2", "chen", wang))
		recorder := evidence.Recorder{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
		seconds, outcome := 12.5, "no_answer"
		call := evidence.Upload{
			ID: "0190b6f0-0000-7000-8000-000000000001", Kind: "call", Waybill: "sf1", OccurredAt: "2026-03-02T00:30:00Z",
			DurationS: &seconds, Outcome: &outcome,
		}
		forged, foreign, unknown, other := call, call, call, call
		answered := "answered"
		forged.Outcome = &answered
		foreign.ID, foreign.Waybill = "0190b6f0-0000-7000-8000-000000000002", "SF2"
		unknown.ID, unknown.Kind = "0190b6f0-0000-7000-8000-000000000003", "rumour"
		other.ID = "0190b6f0-0000-7000-8000-000000000004"
		upload := func(list ...evidence.Upload) (statuses []evidence.Status) {
			verdicts, err := recorder.Upload(ctx, h.courier("li"), list)
			require.NoError(t, err)
			for _, v := range verdicts {
				statuses = append(statuses, v.Status)
			}
			return statuses
		}
		require.Equal(t, []evidence.Status{"accepted", "duplicate", "rejected", "rejected", "rejected", "accepted"},
			upload(call, call, forged, foreign, unknown, other))
		require.Equal(t, []evidence.Status{"duplicate", "rejected"}, upload(call, forged))
		kept := 0
		for _, item := range h.evidence("west") {
			if item.Kind == evidence.Call {
				kept++
				require.JSONEq(t, `"no_answer"`, string(item.Opening.Values["outcome"]))
			}
		}
		require.Equal(t, 2, kept)
	})
}

func TestAnUploadSentAgainAfterTheParcelMovedOnIsADuplicate(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.dispatch(order("SF1", "li", wang))
		recorder := evidence.Recorder{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
		seconds, outcome := 12.5, "no_answer"
		call := evidence.Upload{
			ID: "0190b6f0-0000-7000-8000-000000000001", Kind: "call", Waybill: "SF1", OccurredAt: "2026-03-02T00:30:00Z",
			DurationS: &seconds, Outcome: &outcome,
		}
		upload := func() evidence.Status {
			verdicts, err := recorder.Upload(context.Background(), h.courier("li"), []evidence.Upload{call})
			require.NoError(t, err)
			return verdicts[0].Status
		}
		require.Equal(t, evidence.Accepted, upload())
		h.clock.Add(time.Hour)
		moved := order("SF1", "li", wang)
		moved.OutletID = "east"
		h.dispatch(moved)
		require.Equal(t, evidence.Duplicate, upload())
		for _, item := range h.evidence("east") {
			require.NotEqual(t, evidence.Call, item.Kind)
		}
	})
}

func TestATokenIsGoodUntilItExpiresOrIsRevoked(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		ctx, clock := context.Background(), storetest.NewClock()
		db := storetest.Open(t, url, storetest.Vault(t), clock, 0)
		office := access.Office{Store: db, Now: clock.Now, NewID: doorstep.MakeID, Random: zeros{}}
		guard := access.Authenticator{Store: db, Now: clock.Now}
		secret, err := office.Create(ctx, access.Request{Role: doorstep.RoleCourier, Company: "default", CourierID: "li", TTL: time.Hour})
		require.NoError(t, err)
		actor, err := guard.Authenticate(ctx, secret)
		require.NoError(t, err)
		require.Equal(t, "li", actor.Courier)
		_, err = guard.Authenticate(ctx, secret+"x")
		require.ErrorIs(t, err, access.ErrUnknown)

		clock.Add(time.Hour)
		_, err = guard.Authenticate(ctx, secret)
		require.ErrorIs(t, err, access.ErrUnknown, "expired")
		clock.Add(-time.Hour)
		require.NoError(t, office.Revoke(ctx, actor.TokenID))
		clock.Add(500 * time.Millisecond)
		_, err = guard.Authenticate(ctx, secret)
		require.ErrorIs(t, err, access.ErrUnknown, "revoked")
		require.ErrorIs(t, office.Revoke(ctx, "nonsense"), doorstep.ErrNotFound)
	})
}

// zeros stands for chance.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestAnAnswerIsReplayedOnlyToTheSameRequest(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		ctx, clock := context.Background(), storetest.NewClock()
		replays := store.Replays{DB: storetest.Open(t, url, storetest.Vault(t), clock, 0)}
		attempt := func(claim string, body byte) replay.Attempt {
			return replay.Attempt{
				Scope:       replay.Scope{TokenID: "t", Operation: "o", Key: "k"},
				Fingerprint: [32]byte{body}, Claim: claim, At: clock.Now(),
			}
		}
		begin := func(a replay.Attempt) *replay.Answer {
			answer, err := replays.Begin(ctx, a)
			require.NoError(t, err)
			return answer
		}
		first := attempt("first", 1)
		require.Nil(t, begin(first))
		_, err := replays.Begin(ctx, attempt("second", 1))
		require.ErrorIs(t, err, doorstep.ErrConflict, "still running")
		require.NoError(t, replays.Abandon(ctx, attempt("second", 1)), "not its claim")
		require.NoError(t, replays.Finish(ctx, first, replay.Answer{Status: 201, Body: []byte("secret link")}))
		require.Equal(t, "secret link", string(begin(attempt("third", 1)).Body))
		_, err = replays.Begin(ctx, attempt("fourth", 2))
		require.ErrorIs(t, err, replay.ErrReused)

		clock.Add(replay.Kept)
		again := attempt("fifth", 2)
		require.Nil(t, begin(again), "after a day the key is free")
		require.NoError(t, replays.Finish(ctx, first, replay.Answer{Status: 500}), "a late run changes nothing")
		require.NoError(t, replays.Abandon(ctx, again))
		require.Nil(t, begin(attempt("sixth", 1)))
		clock.Add(replay.Lease)
		require.Nil(t, begin(attempt("seventh", 1)), "a run that died is taken over")
	})
}
