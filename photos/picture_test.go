package photos_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/gif"
	"image/jpeg"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/photos"
	"doorstep/photos/phototest"
)

// webpPixel is a lossy WebP of one pixel.
const webpPixel = "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"

func TestAPictureIsShownUprightHoweverTheCameraWasHeld(t *testing.T) {
	// Where the red quarter comes to stand: left or right, above or below.
	for orientation, want := range map[int]struct {
		right, below, onItsSide bool
	}{
		0: {}, 1: {}, 2: {right: true}, 3: {right: true, below: true}, 4: {below: true},
		5: {onItsSide: true}, 6: {onItsSide: true, right: true}, 7: {onItsSide: true, right: true, below: true}, 8: {onItsSide: true, below: true},
		9: {},
	} {
		got, mediaType, err := photos.Shown(phototest.JPEG(400, 200, orientation))
		require.NoError(t, err, orientation)
		require.Equal(t, "image/jpeg", mediaType)
		picture, err := jpeg.Decode(bytes.NewReader(got))
		require.NoError(t, err, orientation)
		size := picture.Bounds().Size()
		if want.onItsSide {
			require.Equal(t, image.Pt(200, 400), size, orientation)
		} else {
			require.Equal(t, image.Pt(400, 200), size, orientation)
		}
		x, y := size.X/4, size.Y/4
		if want.right {
			x = size.X * 3 / 4
		}
		if want.below {
			y = size.Y * 3 / 4
		}
		r, _, b, _ := picture.At(x, y).RGBA()
		require.Greater(t, r, b, orientation)
		r, _, b, _ = picture.At(size.X-1-x, size.Y-1-y).RGBA()
		require.Greater(t, b, r, orientation)
	}
}

func TestNothingButThePictureIsShown(t *testing.T) {
	photo := phototest.JPEG(64, 48, 6)
	require.Contains(t, string(photo), phototest.Secret)
	got, _, err := photos.Shown(photo)
	require.NoError(t, err)
	for _, secret := range []string{phototest.Secret, "Exif", "II*"} {
		require.NotContains(t, string(got), secret)
	}
	for at := 2; got[at+1] != 0xda; at += 2 + int(binary.BigEndian.Uint16(got[at+2:])) {
		require.Contains(t, []byte{0xdb, 0xc0, 0xc4}, got[at+1], "a segment that is not needed to draw the picture")
	}
}

func TestALargePictureIsShownSmaller(t *testing.T) {
	got, mediaType, err := photos.Shown(phototest.PNG(3000, 1500))
	require.NoError(t, err)
	require.Equal(t, "image/png", mediaType)
	c, err := jpeg.DecodeConfig(bytes.NewReader(got))
	require.NoError(t, err)
	require.Equal(t, []int{photos.ShownSide, photos.ShownSide / 2}, []int{c.Width, c.Height})
}

func TestAWebPIsShownToo(t *testing.T) {
	photo, err := base64.StdEncoding.DecodeString(webpPixel)
	require.NoError(t, err)
	got, mediaType, err := photos.Shown(photo)
	require.NoError(t, err)
	require.Equal(t, "image/webp", mediaType)
	_, err = jpeg.Decode(bytes.NewReader(got))
	require.NoError(t, err)
}

func TestWhatIsNoPictureOrCostsTooMuchIsRefused(t *testing.T) {
	var animation bytes.Buffer
	require.NoError(t, gif.Encode(&animation, phototest.Picture(4, 4), nil))
	whole := phototest.JPEG(64, 48, 1)
	for name, tt := range map[string]struct {
		data []byte
		code string
	}{
		"nothing":         {nil, "unknown_type"},
		"words":           {[]byte("<script>alert(1)</script>"), "unknown_type"},
		"a GIF":           {animation.Bytes(), "unknown_type"},
		"half a JPEG":     {whole[:len(whole)/2], "broken_picture"},
		"a JPEG's head":   {whole[:3], "broken_picture"},
		"a PNG's head":    {phototest.PNG(4, 4)[:20], "broken_picture"},
		"a bomb":          {pngHead(9_000, 9_000, 8), "too_many_pixels"},
		"a long bomb":     {pngHead(1, 20_000, 8), "too_many_pixels"},
		"a deep bomb":     {pngHead(4_000, 4_000, 16), "too_many_pixels"},
		"the widest PNG":  {pngHead(1<<31-1, 1<<31-1, 8), "broken_picture"},
		"a slow JPEG":     {manyScans(whole, 101), "too_many_scans"},
		"an empty PNG":    {pngHead(0, 4, 8), "broken_picture"},
		"pixels missing":  {pngHead(400, 400, 8), "broken_picture"},
		"a picture's end": {whole[20:], "unknown_type"},
	} {
		_, _, err := photos.Shown(tt.data)
		var invalid *doorstep.InvalidError
		require.ErrorAs(t, err, &invalid, name)
		require.Equal(t, tt.code, invalid.Fields[0].Code, name)
	}
}

func TestScansInsideAThumbnailAreNotCounted(t *testing.T) {
	whole := phototest.JPEG(64, 48, 1)
	thumbnail := append([]byte{0xff, 0xe2, 0x03, 0x22}, bytes.Repeat([]byte{0xff, 0xda}, 400)...) // a segment of 802 bytes
	_, _, err := photos.Shown(append(append(bytes.Clone(whole[:2]), thumbnail...), whole[2:]...))
	require.NoError(t, err)
}

// pngHead is the beginning of a PNG: what it says of itself, and no pixel.
func pngHead(width, height uint32, depth byte) []byte {
	body := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	body = append(binary.BigEndian.AppendUint32(body, height), depth, 2, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
}

// manyScans puts scans without data before a JPEG's own.
func manyScans(whole []byte, n int) []byte {
	at := bytes.Index(whole, []byte{0xff, 0xda})
	scan := []byte{0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0}
	return append(append(bytes.Clone(whole[:at]), bytes.Repeat(scan, n)...), whole[at:]...)
}

// A stranger's bytes give a picture or a refusal, nothing else.
func FuzzShown(f *testing.F) {
	pixel, err := base64.StdEncoding.DecodeString(webpPixel)
	require.NoError(f, err)
	for _, seed := range [][]byte{phototest.JPEG(32, 16, 6), phototest.PNG(16, 16), pixel, pngHead(9_000, 9_000, 8), manyScans(phototest.JPEG(8, 8, 1), 3)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, _, err := photos.Shown(data)
		if err != nil {
			require.ErrorIs(t, err, doorstep.ErrInvalid)
			return
		}
		c, err := jpeg.DecodeConfig(bytes.NewReader(got))
		require.NoError(t, err)
		require.LessOrEqual(t, max(c.Width, c.Height), photos.ShownSide)
	})
}

// BenchmarkShown is a photo of 12 million pixels, as phones take them.
func BenchmarkShown(b *testing.B) {
	photo := phototest.JPEG(4000, 3000, 6)
	b.ReportAllocs()
	for b.Loop() {
		_, _, err := photos.Shown(photo)
		require.NoError(b, err)
	}
}
