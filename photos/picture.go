package photos

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"

	"github.com/bep/imagemeta"
	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"doorstep"
)

// What a photo may be. A picture of maxPixels takes up to 300 MB while it is
// decoded: 15 bytes a pixel, as a progressive JPEG without subsampling.
const (
	MaxBytes  = 10 << 20
	maxPixels = 20_000_000
	maxSide   = 10_000 // pixels
	maxScans  = 100    // of a progressive JPEG: each costs a walk over all pixels; cameras write about ten
)

// What is shown of a photo: enough to read a label on a parcel.
const (
	shownSide    = 2048 // pixels, the longer one
	shownQuality = 85
)

// format is a kind of picture that is taken in.
type format struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	meta   imagemeta.ImageFormat
}

// formats are told apart by content; what a caller says of it is not heard.
var formats = map[string]format{
	"image/jpeg": {jpeg.DecodeConfig, jpeg.Decode, imagemeta.JPEG},
	"image/png":  {png.DecodeConfig, png.Decode, imagemeta.PNG},
	"image/webp": {webp.DecodeConfig, webp.Decode, imagemeta.WebP},
}

// shown makes the copy that people see: upright, bounded, a JPEG drawn anew, so
// that nothing but the picture is in it. What is no photo that we take gives an
// *doorstep.InvalidError.
func shown(data []byte) (picture []byte, mediaType string, err error) {
	mediaType = http.DetectContentType(data)
	f, ok := formats[mediaType]
	if !ok {
		return nil, "", refused("unknown_type", "must be a JPEG, PNG or WebP picture")
	}
	if err := f.inspect(data); err != nil {
		return nil, "", err
	}
	full, err := f.decode(bytes.NewReader(data))
	if err != nil {
		return nil, "", errBroken
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, upright(scaled(full), f.orientation(data)), &jpeg.Options{Quality: shownQuality}); err != nil {
		return nil, "", fmt.Errorf("encode photo: %w", err)
	}
	return out.Bytes(), mediaType, nil
}

var errBroken = refused("broken_picture", "is not a whole picture")

func refused(code, detail string) error {
	return &doorstep.InvalidError{Fields: []doorstep.FieldError{{Code: code, Detail: detail}}}
}

// inspect refuses, before a pixel is decoded, what would cost too much.
func (f format) inspect(data []byte) error {
	c, err := f.config(bytes.NewReader(data))
	if err != nil || c.Width < 1 || c.Height < 1 {
		return errBroken
	}
	pixels := c.Width * c.Height
	switch c.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model, color.CMYKModel: // these take more memory
		pixels *= 2
	}
	switch {
	case c.Width > maxSide || c.Height > maxSide || pixels > maxPixels:
		return refused("too_many_pixels", "must have at most 20 million pixels, half as many in CMYK or 16 bits a colour, and 10,000 a side")
	case f.meta == imagemeta.JPEG && scans(data) > maxScans:
		return refused("too_many_scans", "must not be stored in more than 100 scans")
	}
	return nil
}

// scans counts the scans of a JPEG, to maxScans and one more. Segments are
// stepped over by their length, since a thumbnail in one has scans of its own.
func scans(data []byte) (n int) {
	const (
		startOfImage = 0xd8
		endOfImage   = 0xd9
		startOfScan  = 0xda
	)
	for at := 0; at+1 < len(data) && n <= maxScans; {
		marker := data[at+1]
		switch {
		case data[at] != 0xff || marker == 0xff: // compressed data, or a filling byte
			at++
			continue
		case marker == 0 || marker == 1 || marker >= 0xd0 && marker <= startOfImage: // these have no length
			at += 2
			continue
		case marker == endOfImage || at+4 > len(data):
			return n
		case marker == startOfScan:
			n++
		}
		at += 2 + int(binary.BigEndian.Uint16(data[at+2:]))
	}
	return n
}

// orientation reads how the camera was held, as EXIF numbers it from 1, upright,
// to 8. Metadata that cannot be read turn nothing.
func (f format) orientation(data []byte) int {
	way := 1
	_, _ = imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(data), ImageFormat: f.meta, Sources: imagemeta.EXIF,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool { return tag.Tag == "Orientation" && tag.Namespace == "IFD0" },
		HandleTag: func(tag imagemeta.TagInfo) error {
			if n, ok := tag.Value.(uint16); ok {
				way = int(n)
			}
			return imagemeta.ErrStopWalking
		},
	})
	return way
}

// scaled draws a picture onto white, no side longer than shownSide.
func scaled(from image.Image) *image.RGBA {
	size := from.Bounds().Size()
	if longer := max(size.X, size.Y); longer > shownSide {
		size = image.Pt(max(1, size.X*shownSide/longer), max(1, size.Y*shownSide/longer))
	}
	to := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(to, to.Rect, image.White, image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(to, to.Rect, from, from.Bounds(), draw.Over, nil)
	return to
}

// upright turns and mirrors a picture as its orientation asks.
func upright(from *image.RGBA, orientation int) *image.RGBA {
	w, h := from.Rect.Dx(), from.Rect.Dy()
	// source is the pixel that comes to stand at x, y.
	var source func(x, y int) (int, int)
	switch orientation {
	case 2:
		source = func(x, y int) (int, int) { return w - 1 - x, y }
	case 3:
		source = func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }
	case 4:
		source = func(x, y int) (int, int) { return x, h - 1 - y }
	case 5:
		source = func(x, y int) (int, int) { return y, x }
	case 6:
		source = func(x, y int) (int, int) { return y, h - 1 - x }
	case 7:
		source = func(x, y int) (int, int) { return w - 1 - y, h - 1 - x }
	case 8:
		source = func(x, y int) (int, int) { return w - 1 - y, x }
	default:
		return from
	}
	size := image.Pt(w, h)
	if orientation >= 5 { // it lay on its side
		size = image.Pt(h, w)
	}
	to := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			sx, sy := source(x, y)
			to.SetRGBA(x, y, from.RGBAAt(sx, sy))
		}
	}
	return to
}
