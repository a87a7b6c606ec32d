package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/evidence"
	"doorstep/photos"
	"doorstep/photos/phototest"
	"doorstep/privacy"
)

// shelf keeps blobs in memory.
type shelf struct {
	mu    sync.Mutex
	blobs map[string][]byte
}

func (s *shelf) Put(_ context.Context, name string, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs[name] = body
	return nil
}

func (s *shelf) Get(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blobs[name], nil
}

func (s *shelf) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.blobs, name)
	return nil
}

func (h *house) album() (*photos.Album, *shelf) {
	s := &shelf{blobs: map[string][]byte{}}
	return photos.NewAlbum(h.db, s, h.clock.Now, doorstep.MakeID), s
}

// declares has the courier's phone declare a photo of SF2 and say where it is,
// under an id that ends in n.
func (h *house) declares(n, hash string) (outlet doorstep.OutletNo, photo, place string) {
	h.t.Helper()
	recorder := evidence.Recorder{Store: h.db, Now: h.clock.Now, NewID: doorstep.MakeID}
	at := h.clock.Now().Format("2006-01-02T15:04:05Z")
	lat, lng, accuracy := 31.25, 121.4737, 10.0
	got, err := recorder.Upload(h.t.Context(), h.courier("li"), []evidence.Upload{
		{ID: "0190b6f0-0000-7000-8000-00000000010" + n, Kind: "photo", Waybill: "SF2", OccurredAt: at, TakenAt: &at, SHA256: &hash},
		{ID: "0190b6f0-0000-7000-8000-00000000020" + n, Kind: "location", Waybill: "SF2", OccurredAt: at, Lat: &lat, Lng: &lng, AccuracyM: &accuracy},
	})
	require.NoError(h.t, err)
	for _, v := range got {
		require.Equal(h.t, evidence.Verdict{Status: evidence.Accepted}, v)
	}
	ids := map[evidence.Kind]string{}
	for _, kind := range []evidence.Kind{evidence.Photo, evidence.Location} {
		list, err := h.db.Evidence(h.t.Context(), h.manager("west"), evidence.Query{Kind: kind, Limit: 100})
		require.NoError(h.t, err)
		for _, item := range list {
			if strings.HasSuffix(item.ClientID, n) {
				ids[kind] = item.ID
			}
		}
	}
	outlet, _ = doorstep.OutletOf(ids[evidence.Photo])
	return outlet, ids[evidence.Photo], ids[evidence.Location]
}

var (
	aPhoto     = phototest.JPEG(16, 16, 1)
	aPhotoHash = func() string {
		sum := sha256.Sum256(aPhoto)
		return hex.EncodeToString(sum[:])
	}()
)

// photographed has everything happen once that can happen to a photo and a
// place.
func (h *house) photographed() {
	h.t.Helper()
	ctx, li := h.t.Context(), h.courier("li")
	album, _ := h.album()
	outlet, photo, _ := h.declares("1", aPhotoHash)
	_, err := album.Original(ctx, outlet, photo)
	require.ErrorIs(h.t, err, doorstep.ErrNotFound, "its bytes have not come")
	for range 2 {
		_, err := album.Add(ctx, li, aPhotoHash, aPhoto)
		require.NoError(h.t, err)
	}
	for _, who := range []doorstep.Actor{li, h.manager("west")} {
		_, err := album.Picture(ctx, who, aPhotoHash)
		require.NoError(h.t, err)
	}
	came, err := album.Original(ctx, outlet, photo)
	require.NoError(h.t, err)
	require.Equal(h.t, aPhoto, came)
	require.NoError(h.t, h.db.ErasePhotos(ctx, outlet, []string{photo}, h.clock.Now()))
	_, err = album.Original(ctx, outlet, photo)
	require.ErrorIs(h.t, err, doorstep.ErrUnavailable, "of one that was just erased nobody may say that it never came")
	_, err = album.Sweep(ctx)
	require.NoError(h.t, err)
}

// Whatever uploads, erasures and sweeps meet, a photo that is acknowledged and
// not erased can be seen, and nothing is left of one that is.
func TestUploadsAndErasuresAtOnceLoseNothingAndLeaveNothing(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.dispatch(order("SF2", "li", wang))
		album, shelf := h.album()
		ctx, li := t.Context(), h.courier("li")
		outlet, erased, _ := h.declares("1", aPhotoHash)
		_, kept, _ := h.declares("2", aPhotoHash)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				_, err := album.Add(ctx, li, aPhotoHash, aPhoto)
				require.NoError(t, err)
			})
			all.Go(func() { require.NoError(t, h.db.ErasePhotos(ctx, outlet, []string{erased}, h.clock.Now())) })
		}
		all.Wait()
		got, err := album.Picture(ctx, h.manager("west"), aPhotoHash)
		require.NoError(t, err)
		require.NotEmpty(t, got, "its blob is there")

		for range 4 {
			all.Go(func() {
				if _, err := album.Add(ctx, li, aPhotoHash, aPhoto); err != nil {
					require.ErrorIs(t, err, doorstep.ErrNotFound)
				}
			})
			all.Go(func() { require.NoError(t, h.db.ErasePhotos(ctx, outlet, []string{kept}, h.clock.Now())) })
		}
		all.Wait()
		_, err = album.Picture(ctx, h.manager("west"), aPhotoHash)
		require.ErrorIs(t, err, doorstep.ErrNotFound)
		h.clock.Add(1000 * time.Hour)
		_, err = album.Sweep(ctx)
		require.NoError(t, err)
		require.Empty(t, shelf.blobs)
	})
}

func TestForgottenCoordinatesLeaveEveryOtherProof(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		h.dispatch(order("SF2", "li", wang))
		h.declares("1", aPhotoHash)
		opening := func() (o evidence.Opening) {
			list, err := h.db.Evidence(t.Context(), h.manager("west"), evidence.Query{Kind: evidence.Location, Limit: 1})
			require.NoError(t, err)
			return list[0].Opening
		}
		before := opening()
		h.clock.Add(privacy.RuleOf(privacy.Positions).Keep + time.Hour)
		report, err := h.sweeper().SweepAll(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, report[privacy.Positions].Gone)
		require.Equal(t, before.Without(evidence.Coordinates...), opening())
		require.Contains(t, opening().Values, "accuracy_m")
		require.NotContains(t, opening().Values, "lat")
	})
}

func (h *house) sweeper() *privacy.Sweeper {
	album, _ := h.album()
	return &privacy.Sweeper{Store: h.db, Photos: album.Sweep, Now: h.clock.Now}
}
