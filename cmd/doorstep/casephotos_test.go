package main

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/evidence"
	"doorstep/evidence/bundle"
	"doorstep/photos/phototest"
	"doorstep/store/storetest"
)

// verified is a complaint's bundle, which must hold, with what a verification found.
func (a *app) verified(token, complaint string) ([]byte, bundle.Report) {
	a.t.Helper()
	zip := a.bundle(token, complaint, "")
	report, err := bundle.Verify(zip, a.logKey(), "")
	require.NoError(a.t, err)
	require.Empty(a.t, report.Problems)
	return zip, report
}

// standing is how the photo stands in a report; "" if nothing is said of it.
func standing(r bundle.Report, p picture) bundle.State {
	at := slices.IndexFunc(r.Photos, func(photo bundle.PhotoReport) bool { return photo.SHA256 == hashOf(p) })
	if at < 0 {
		return ""
	}
	return r.Photos[at].State
}

func TestThePhotosOfAParcelStandInItsBundle(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		a := newApp(t, url)
		a.dispatch(parcel("SF1", "mo", anne), parcel("SF2", "li", bela))
		a.declare("mo", "SF1", phototest.JPEG(32, 32, 1))
		a.clock.Add(time.Hour)
		a.dispatch(parcel("SF1", "li", anne))
		door, others, missing := doorPhoto, picture(phototest.JPEG(32, 32, 1)), picture(phototest.JPEG(16, 16, 1))
		a.declare("li", "SF1", door)
		a.declare("li", "SF1", door) // twice
		a.declare("li", "SF1", missing)
		a.put(a.courier("li"), photoPath(door), door).is(http.StatusOK)
		a.put(a.courier("mo"), photoPath(others), others).is(http.StatusOK)
		a.clock.Add(time.Hour)
		c := a.complain(a.consumer(anne), "SF1", lockerZH)

		zip, report := a.verified(a.manager("west"), c.ID)
		require.Equal(t, bundle.OK, standing(report, door))
		require.Contains(t, string(zip), "photos/"+hashOf(door)+".jpg")
		require.Contains(t, string(zip), string(door), "as it came: no other bytes have the hash")
		require.Equal(t, bundle.OK, standing(report, others))
		require.Equal(t, bundle.Absent, standing(report, missing), "declared, and never sent")
		require.Len(t, report.Photos, 3)

		zip, report = a.verified(a.courier("li"), c.ID)
		require.Equal(t, bundle.OK, standing(report, door))
		require.Equal(t, bundle.Withheld, standing(report, others), "where another courier stood is not his to see")
		require.NotContains(t, string(zip), string(others))

		// Once she is forgotten, so are the photos of her door: their records say so.
		a.act(a.consumer(anne), c.ID, "withdrawal", nil)
		a.delete(a.consumer(anne), "/v1/me").is(http.StatusNoContent)
		zip, report = a.verified(a.manager("west"), c.ID)
		require.NotContains(t, string(zip), string(door))
		require.Empty(t, report.Photos)
		gone := 0
		for _, r := range report.Records {
			if r.Kind == evidence.Photo && slices.ContainsFunc(r.Fields, func(f bundle.FieldReport) bool { return f.Name == "sha256" && f.State == bundle.Erased }) {
				gone++
			}
		}
		require.Equal(t, 4, gone)
	})
}

// large is a photo of about so many bytes: what follows a picture belongs to the file.
func large(p []byte, size int) picture {
	return append(slices.Clone(p), make([]byte, size-len(p))...)
}

func TestPhotosThatDoNotFitAreLeftOutWithAWord(t *testing.T) {
	a := newApp(t, storetest.SQLite(t))
	a.dispatch(parcel("SF1", "li", anne))
	var list []picture
	for i := range 4 {
		p := large(phototest.JPEG(16+i, 16, 1), 9<<20)
		a.declare("li", "SF1", p)
		a.put(a.courier("li"), photoPath(p), p).is(http.StatusOK)
		a.clock.Add(time.Minute)
		list = append(list, p)
	}
	zip, report := a.verified(a.hq(), a.complain(a.consumer(anne), "SF1", lockerZH).ID)
	require.Less(t, len(zip), bundle.MaxSize)
	for i, p := range list {
		require.Equal(t, []bundle.State{bundle.OK, bundle.OK, bundle.OK, bundle.Absent}[i], standing(report, p))
	}
}
