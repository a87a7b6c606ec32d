package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/jpeg"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/blobs"
	"doorstep/photos"
	"doorstep/photos/phototest"
	"doorstep/privacy"
	"doorstep/store/storetest"
)

// doorPhoto was taken with the camera on its side, as most are.
var doorPhoto = picture(phototest.JPEG(64, 48, 6))

func hashOf(p picture) string {
	sum := sha256.Sum256(p)
	return hex.EncodeToString(sum[:])
}

func photoPath(p picture) string { return "/v1/photos/" + hashOf(p) }

// declare has the courier's phone declare a photo of a parcel, in a new record.
func (a *app) declare(courier, waybill string, p picture) {
	a.t.Helper()
	at := a.clock.Now().Format(time.RFC3339)
	got := a.upload(courier, api.EvidenceInput{
		ID: uuid.NewString(), Kind: "photo", Waybill: waybill, OccurredAt: at, TakenAt: &at, Sha256: ptr(hashOf(p)),
	})
	require.Equal(a.t, api.ItemStatus("accepted"), got[0].Status)
}

// photo is the only record that declares a photo of the parcel.
func (a *app) photo(waybill string) api.EvidenceRecord {
	a.t.Helper()
	list := a.evidence("west", "&kind=photo&waybill="+waybill)
	require.Len(a.t, list, 1)
	return list[0]
}

// inFolder keeps blobs under root.
func inFolder(root string) option {
	return func(s *site) { s.blobs = blobs.Sealed{Store: blobs.OpenFolder(root), Vault: s.vault} }
}

// filesUnder counts the files below a folder.
func filesUnder(t *testing.T, root string) (n int) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	}))
	return n
}

func TestAPhotoIsDeclaredThenSentThenShown(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "li", anne))
		a.declare("li", "SF1", doorPhoto)
		require.Equal(t, api.EvidenceRecordPhotoStateDeclared, *a.photo("SF1").PhotoState, "declared and missing")
		require.Equal(t, "not_found", a.get(a.manager("west"), photoPath(doorPhoto)).problem(http.StatusNotFound).Code)

		a.clock.Add(time.Hour)
		first := read[api.Photo](a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto), http.StatusOK)
		require.Equal(t, api.Photo{Sha256: hashOf(doorPhoto), ArrivedAt: a.clock.Now()}, first)
		require.Equal(t, api.EvidenceRecordPhotoStateArrived, *a.photo("SF1").PhotoState)
		a.clock.Add(time.Hour)
		require.Equal(t, first, read[api.Photo](a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto), http.StatusOK), "again")

		came := a.evidence("west", "&kind=photo_arrival")
		require.Len(t, came, 1, "that it came is evidence, once")
		require.Equal(t, api.EvidenceSource("server"), came[0].Source)
		require.Equal(t, "SF1", *came[0].Waybill)
		require.Equal(t, hashOf(doorPhoto), *came[0].Sha256)
		require.Equal(t, len(doorPhoto), *came[0].Bytes)
		require.Equal(t, first.ArrivedAt, came[0].OccurredAt)

		for _, who := range []string{a.courier("li"), a.manager("west"), a.hq()} {
			r := a.get(who, photoPath(doorPhoto))
			r.is(http.StatusOK)
			require.Equal(t, "image/jpeg", r.header.Get("Content-Type"))
			require.Equal(t, "nosniff", r.header.Get("X-Content-Type-Options"))
			require.Equal(t, "default-src 'none'; frame-ancestors 'none'; sandbox", r.header.Get("Content-Security-Policy"))
			require.Equal(t, "private, max-age=300", r.header.Get("Cache-Control"))
			shown, err := jpeg.Decode(bytes.NewReader(r.body))
			require.NoError(t, err)
			require.Equal(t, image.Pt(48, 64), shown.Bounds().Size(), "upright")
			require.NotContains(t, string(r.body), phototest.Secret)
			require.NotContains(t, string(r.body), "Exif")
		}
	})
}

func TestWhatIsNoDeclaredPhotoIsRefusedAndNotKept(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		folder := t.TempDir()
		a := newApp(t, url, inFolder(folder))
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "mo", bela))
		li := a.courier("li")
		script := picture("<script>alert(1)</script>")
		half := doorPhoto[:len(doorPhoto)/2]
		large := append(slices.Clone(doorPhoto), make([]byte, photos.MaxBytes)...)
		for _, p := range []picture{doorPhoto, script, half} {
			a.declare("li", "SF1", p)
		}

		for name, tt := range map[string]struct {
			r    answer
			want string
		}{
			"another photo's bytes": {a.put(li, photoPath(doorPhoto), half), "422 /sha256 other_bytes"},
			"one byte more":         {a.put(li, photoPath(doorPhoto), append(slices.Clone(doorPhoto), 0)), "422 /sha256 other_bytes"},
			"no bytes":              {a.put(li, photoPath(doorPhoto), picture("")), "422 /sha256 other_bytes"},
			"no picture":            {a.put(li, photoPath(script), script), "422  unknown_type"},
			"half a picture":        {a.put(li, photoPath(half), half), "422  broken_picture"},
			"no hash":               {a.put(li, "/v1/photos/abc", doorPhoto), "422 /sha256 invalid_sha256"},
			"capital letters":       {a.put(li, "/v1/photos/"+strings.ToUpper(hashOf(doorPhoto)), doorPhoto), "422 /sha256 invalid_sha256"},
			"too many bytes":        {a.put(li, photoPath(large), large), "413"},
			"not said to be one":    {a.put(li, photoPath(doorPhoto), string(doorPhoto)), "415"},
			"declared by nobody":    {a.put(li, photoPath(picture(phototest.PNG(4, 4))), picture(phototest.PNG(4, 4))), "404"},
			"another's":             {a.put(a.courier("mo"), photoPath(doorPhoto), doorPhoto), "404"},
		} {
			status := map[string]int{"4": 0, "422": 422, "413": 413, "415": 415, "404": 404}[tt.want[:3]]
			p := tt.r.problem(status)
			if _, field, ok := strings.Cut(tt.want, " "); ok {
				require.Equal(t, []string{field}, at(p.Errors), name)
			}
		}
		require.Equal(t, 0, filesUnder(t, folder))
		for _, r := range a.evidence("west", "&kind=photo") {
			require.Equal(t, api.EvidenceRecordPhotoStateDeclared, *r.PhotoState)
		}
		require.Empty(t, a.evidence("west", "&kind=photo_arrival"))

		a.put(li, photoPath(doorPhoto), doorPhoto).is(http.StatusOK) // the right bytes are still welcome
		require.Equal(t, 2, filesUnder(t, folder))
	})
}

func TestAPhotoThatShowsTwoParcelsBelongsToBoth(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		folder := t.TempDir()
		a := newApp(t, url, inFolder(folder))
		east := parcel("SF3", "li", carl)
		east.OutletID = "east"
		a.dispatch(parcel("SF1", "li", anne), parcel("SF2", "li", bela), east)
		a.declare("li", "SF1", doorPhoto)
		a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto).is(http.StatusOK)
		a.declare("li", "SF2", doorPhoto)
		require.Equal(t, api.EvidenceRecordPhotoStateArrived, *a.photo("SF2").PhotoState, "its bytes are there already")
		a.declare("li", "SF3", doorPhoto)
		require.Equal(t, "not_found", a.get(a.manager("east"), photoPath(doorPhoto)).problem(http.StatusNotFound).Code)
		a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto).is(http.StatusOK)
		a.get(a.manager("east"), photoPath(doorPhoto)).is(http.StatusOK)
		require.Equal(t, 4, filesUnder(t, folder), "an outlet has its own")

		// Erased for one parcel, it stays for the other; erased for both, it is gone.
		a.delete(a.consumer(anne), "/v1/me").is(http.StatusNoContent)
		require.Equal(t, api.EvidenceRecordPhotoStateErased, *a.photo("SF1").PhotoState)
		require.Equal(t, api.EvidenceRecordPhotoStateArrived, *a.photo("SF2").PhotoState)
		a.get(a.manager("west"), photoPath(doorPhoto)).is(http.StatusOK)
		a.delete(a.consumer(bela), "/v1/me").is(http.StatusNoContent)
		require.Equal(t, api.EvidenceRecordPhotoStateErased, *a.photo("SF2").PhotoState)
		require.Equal(t, 2, filesUnder(t, folder), "those of east")
		require.Equal(t, "not_found", a.get(a.manager("west"), photoPath(doorPhoto)).problem(http.StatusNotFound).Code)
		a.get(a.manager("east"), photoPath(doorPhoto)).is(http.StatusOK)
		a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto).is(http.StatusOK) // for east alone
		require.Equal(t, api.EvidenceRecordPhotoStateErased, *a.photo("SF1").PhotoState, "a phone brings nothing back")
	})
}

// breaking fails the n-th call of Put, after which nothing is reached any more.
type breaking struct {
	photos.Blobs
	left int
}

var errBroken = errors.New("the store is gone")

func (b *breaking) Put(ctx context.Context, name string, body []byte) error {
	if b.left--; b.left < 0 {
		return errBroken
	}
	return b.Blobs.Put(ctx, name, body)
}

func TestAnUploadThatBreaksOffLeavesNothingForGood(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		folder := t.TempDir()
		var store *breaking
		a := newApp(t, url, inFolder(folder), func(s *site) {
			store = &breaking{Blobs: s.blobs}
			s.blobs = store
		})
		a.dispatch(parcel("SF1", "li", anne))
		a.declare("li", "SF1", doorPhoto)
		for puts := range 2 { // before the first blob, and between the two
			store.left = puts
			a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto).problem(http.StatusServiceUnavailable)
			require.Equal(t, api.EvidenceRecordPhotoStateDeclared, *a.photo("SF1").PhotoState)
		}
		require.Equal(t, 1, filesUnder(t, folder), "an orphan")
		store.left = 2
		a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto).is(http.StatusOK)
		require.Equal(t, 3, filesUnder(t, folder))

		a.clock.Add(24*time.Hour - time.Second)
		require.Zero(t, a.swept(), "an upload may still be under way")
		a.clock.Add(time.Second)
		require.Equal(t, 4, a.swept(), "two uploads of two blobs each")
		require.Equal(t, 2, filesUnder(t, folder))
		a.get(a.manager("west"), photoPath(doorPhoto)).is(http.StatusOK)
		a.clock.Add(1000 * time.Hour)
		require.Zero(t, a.swept())
	})
}

// swept makes one pass of the photos' sweeper.
func (a *app) swept() int {
	a.t.Helper()
	n, err := a.album.Sweep(a.t.Context())
	require.NoError(a.t, err)
	return n
}

// slow lets time pass while a blob is written.
type slow struct {
	photos.Blobs
	pass func()
}

func (s *slow) Put(ctx context.Context, name string, body []byte) error {
	s.pass()
	return s.Blobs.Put(ctx, name, body)
}

func TestARowNeverPointsToWhatASweeperMayTake(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		folder := t.TempDir()
		var store *slow
		a := newApp(t, url, inFolder(folder), func(s *site) {
			store = &slow{Blobs: s.blobs}
			s.blobs = store
		})
		a.dispatch(parcel("SF1", "li", anne))
		a.declare("li", "SF1", doorPhoto)
		store.pass = func() { a.clock.Add(31 * time.Minute) } // an hour and two minutes for both
		a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto).problem(http.StatusServiceUnavailable)
		require.Equal(t, api.EvidenceRecordPhotoStateDeclared, *a.photo("SF1").PhotoState)

		// Erased while it is under way: nothing of it stays.
		store.pass = func() { a.delete(a.consumer(anne), "/v1/me").is(http.StatusNoContent) }
		a.put(a.courier("li"), photoPath(doorPhoto), doorPhoto).problem(http.StatusNotFound)
		a.clock.Add(24 * time.Hour)
		require.Equal(t, 4, a.swept())
		require.Zero(t, filesUnder(t, folder))
	})
}

func TestAPhonesPlaceIsMeasuredFromTheDoor(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		known, unknown := parcel("SF1", "li", anne), parcel("SF2", "li", bela)
		known.Consignee.Location = &api.DoorLocation{Lat: 31.2304, Lng: 121.4737}
		a.dispatch(known, unknown)
		at := a.clock.Now().Format(time.RFC3339)
		fix := func(waybill string, lat, accuracy float64) api.EvidenceInput {
			return api.EvidenceInput{
				ID: uuid.NewString(), Kind: "location", Waybill: waybill, OccurredAt: at, Lat: &lat, Lng: ptr(121.4737), AccuracyM: &accuracy,
			}
		}
		const street = 31.2304 + 500/111_195.0 // half a kilometre up the street
		list := []api.EvidenceInput{fix("SF1", street, 12), fix("SF2", street, 12)}
		for _, r := range a.upload("li", list...) {
			require.Equal(t, api.ItemStatus("accepted"), r.Status)
		}
		seen := func(waybill string) api.EvidenceRecord {
			records := a.evidence("west", "&kind=location&waybill="+waybill)
			require.Len(t, records, 1)
			return records[0]
		}
		require.Equal(t, 480, *seen("SF1").DistanceM)
		require.Nil(t, seen("SF2").DistanceM, "the carrier did not say where the door is")

		// The address moves; the phone sends again what it sent.
		moved := known
		moved.CourierID = "mo"
		moved.Consignee.Location = &api.DoorLocation{Lat: street, Lng: 121.4737}
		a.dispatch(moved)
		for _, r := range a.upload("li", list...) {
			require.Equal(t, api.ItemStatus("duplicate"), r.Status)
		}
		require.Equal(t, 480, *seen("SF1").DistanceM)

		// Where he was is forgotten; how far from the door it was is not.
		a.later(91 * aDay)
		require.Equal(t, 2, a.sweepAll()[privacy.Positions].Gone)
		require.Nil(t, seen("SF1").Lat)
		require.Nil(t, seen("SF1").Lng)
		require.Equal(t, 12.0, *seen("SF1").AccuracyM)
		require.Equal(t, 480, *seen("SF1").DistanceM)
		require.Nil(t, seen("SF2").Lat)
	})
}

// So are the places of a sign-for and of an attempt, which have no record of their
// own.
func TestASignForSaysHowFarFromTheDoorItWas(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		known := parcel("SF1", "li", anne)
		known.Consignee.Location = &api.DoorLocation{Lat: 31.2304, Lng: 121.4737}
		a.dispatch(known, parcel("SF2", "li", bela))
		street := &api.PlaceInput{Lat: ptr(31.2304 + 1500/111_195.0), Lng: ptr(121.4737), AccuracyM: ptr(12.0)}
		for _, waybill := range []string{"SF1", "SF2"} {
			tried := api.AttemptInput{Outcome: "failed", Reason: "nobody_home", At: a.clock.Now().Format(time.RFC3339), ClientID: uuid.NewString(), Location: street}
			a.post(a.courier("li"), "/v1/parcels/"+waybill+"/attempts", tried).is(http.StatusCreated)
			in := signed("in_person", a.clock.Now())
			in.Location = street
			a.signFor("li", waybill, in).is(http.StatusOK)
			a.signFor("li", waybill, in).is(http.StatusOK) // sent again
		}
		said := func(waybill, kind string) api.EvidenceRecord {
			list := a.evidence("west", "&waybill="+waybill+"&kind="+kind)
			require.Len(t, list, 1)
			return list[0]
		}
		kinds := []string{"attempt", "sign_for"}
		for _, kind := range kinds {
			require.Equal(t, 1480, *said("SF1", kind).DistanceM, kind)
			require.Nil(t, said("SF2", kind).DistanceM, "the carrier did not say where the door is")
		}
		a.later(91 * aDay)
		a.sweepAll()
		for _, kind := range kinds {
			require.Nil(t, said("SF1", kind).Lat, kind)
			require.Equal(t, 1480, *said("SF1", kind).DistanceM, kind)
		}
		f := a.file(a.manager("west"), a.complain(a.consumer(anne), "SF1", lockerZH).ID)
		far := factOf(t, f.Facts, "sign.geo_distance_m")
		require.Equal(t, "false", far.Truth)
		require.Equal(t, 1480.0, far.Value)
	})
}

func TestADoorThatIsNotOnEarthIsRefused(t *testing.T) {
	a := newApp(t, storetest.SQLite(t))
	p := parcel("SF1", "li", anne)
	p.Consignee.Location = &api.DoorLocation{Lat: 91, Lng: -181}
	got := read[api.DispatchResults](a.post(a.integrator(), "/v1/dispatches", api.DispatchBatch{Dispatches: []api.DispatchInput{p}}), http.StatusOK)
	require.Equal(t, []string{
		"/dispatches/0/consignee/location/lat out_of_range", "/dispatches/0/consignee/location/lng out_of_range",
	}, at(got.Results[0].Problem.Errors))
}
