package bundle_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/evidence"
	"doorstep/evidence/bundle"
)

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// withPhoto is the small case with a photo of the case's courier.
func withPhoto(t *testing.T, photo []byte) (*logbook, []kept) {
	l, list := smallCase(t)
	f := facts()[2]
	f.ID, f.Kind, f.Fields = "p1", evidence.Photo, []evidence.Field{{Name: "sha256", Value: hashOf(photo)}}
	return l, append(list, l.keep(t, f))
}

func TestAPhotoIsHeldToTheHashThatItsRecordCommitsTo(t *testing.T) {
	picture, other := []byte("\xff\xd8\xff the door"), []byte("\xff\xd8\xff another door")
	l, list := withPhoto(t, picture)
	for name, tt := range map[string]struct {
		photos []bundle.Photo
		state  bundle.State
		holds  bool
	}{
		"the bytes that came":        {[]bundle.Photo{{SHA256: hashOf(picture), Bytes: picture}}, bundle.OK, true},
		"other bytes":                {[]bundle.Photo{{SHA256: hashOf(picture), Bytes: other}}, bundle.Mismatch, false},
		"never came":                 {[]bundle.Photo{{SHA256: hashOf(picture), Absent: bundle.NotArrived}}, bundle.Absent, true},
		"too large":                  {[]bundle.Photo{{SHA256: hashOf(picture), Absent: bundle.TooMuch}}, bundle.Absent, true},
		"withheld":                   {[]bundle.Photo{{SHA256: hashOf(picture), Absent: bundle.NotForYou}}, bundle.Withheld, true},
		"missing for another reason": {[]bundle.Photo{{SHA256: hashOf(picture), Absent: "lost"}}, "", false},
		"missing without a word":     {nil, "", false},
		"there, and said not to be":  {[]bundle.Photo{{SHA256: hashOf(picture), Bytes: picture}, {SHA256: hashOf(picture), Absent: bundle.NotArrived}}, bundle.OK, false},
		"one that nobody declared":   {[]bundle.Photo{{SHA256: hashOf(other), Bytes: other}, {SHA256: hashOf(picture), Bytes: picture}}, bundle.OK, false},
	} {
		c := contents(t, l, manager, list...)
		c.Photos = tt.photos
		report := packed(t, l, c, "")
		require.Equal(t, tt.holds, report.Holds(), "%s: %v", name, report.Problems)
		if tt.state != "" {
			require.Equal(t, tt.state, report.Photos[0].State, name)
		}
	}
	c := contents(t, l, manager, list...)
	c.Photos = []bundle.Photo{{SHA256: hashOf(picture), Bytes: picture}}
	data, err := bundle.Pack(c, l.signing())
	require.NoError(t, err)
	at := bytes.Index(data, picture)
	data[at+4] ^= 1
	fails(t, data, l.key)
}

func TestACouriersBundleHasHisOwnPhotosOnly(t *testing.T) {
	require.True(t, evidence.Reader{Role: doorstep.RoleCourier, CourierNo: 7}.SeesPhoto(evidence.About{CourierNo: 7}))
	require.False(t, evidence.Reader{Role: doorstep.RoleCourier, CourierNo: 7}.SeesPhoto(evidence.About{CourierNo: 8}))
	require.False(t, evidence.Reader{Role: doorstep.RoleCourier, CourierNo: 7}.SeesPhoto(evidence.About{}), "of one that was erased nobody can say")
	require.True(t, evidence.Reader{Role: doorstep.RoleHQ}.SeesPhoto(evidence.About{CourierNo: 8}))
}

// A small archive whose entries all point at the same bytes would take its size
// times its entries of memory.
func TestAnArchiveWhoseFilesOverlapIsRefusedUnread(t *testing.T) {
	const size, entries = 4 << 20, 2000
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	text := bytes.Repeat([]byte("x"), size)
	for i := range entries {
		h := &zip.FileHeader{Name: "photos/" + hashOf([]byte{byte(i), byte(i >> 8)}), CompressedSize64: size, UncompressedSize64: size}
		w, err := z.CreateRaw(h)
		require.NoError(t, err)
		if i == 0 {
			_, err = w.Write(text)
			require.NoError(t, err)
		}
	}
	require.NoError(t, z.Close())
	data := out.Bytes()
	// Every entry of the directory now names the first one's place.
	for at := 0; ; {
		next := bytes.Index(data[at:], []byte("PK\x01\x02"))
		if next < 0 {
			break
		}
		at += next
		copy(data[at+42:at+46], make([]byte, 4))
		at += 46
	}
	l := newLogbook(t, freshKey)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := bundle.Verify(data, l.key, "")
	runtime.ReadMemStats(&after)
	require.ErrorContains(t, err, "overlap")
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4*len(data)))
	require.NotContains(t, err.Error(), strings.Repeat("x", 10))
}
