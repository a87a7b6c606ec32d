// Package phototest makes photos as phones take them.
package phototest

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
)

// Secret is in the metadata of every photo: nobody may see it.
const Secret = "ZhangSan-phone-31.2304N"

// Picture is red in its upper left quarter and blue elsewhere.
func Picture(width, height int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{B: 255, A: 255}
			if x < width/2 && y < height/2 {
				c = color.RGBA{R: 255, A: 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

// JPEG is a photo of a camera that was held as orientation says, from 1 to 8.
func JPEG(width, height, orientation int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, Picture(width, height), nil); err != nil {
		panic(err) // of a picture of our own
	}
	plain := b.Bytes()
	tiff := tiff(orientation)
	out := append([]byte{}, plain[:2]...)
	out = append(out, segment(0xe1, append([]byte("Exif\x00\x00"), tiff...))...)
	out = append(out, segment(0xfe, []byte(Secret))...) // a comment
	return append(append(out, plain[2:]...), Secret...) // some phones put a film behind the picture
}

func segment(marker byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2)), body...)
}

// tiff is EXIF with an orientation and a camera's name.
func tiff(orientation int) []byte {
	const (
		tagMake, typeText         = 0x010f, 2
		tagOrientation, typeShort = 0x0112, 3
		valuesAt                  = 8 + 2 + 2*12 + 4
	)
	b := []byte("II*\x00\x08\x00\x00\x00\x02\x00")
	le := binary.LittleEndian
	b = le.AppendUint16(le.AppendUint16(b, tagMake), typeText)
	b = le.AppendUint32(le.AppendUint32(b, uint32(len(Secret)+1)), valuesAt)
	b = le.AppendUint16(le.AppendUint16(b, tagOrientation), typeShort)
	b = le.AppendUint32(le.AppendUint32(b, 1), uint32(orientation))
	b = le.AppendUint32(b, 0)
	return append(append(b, Secret...), 0)
}

// PNG is the picture without anything else.
func PNG(width, height int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, Picture(width, height)); err != nil {
		panic(err) // of a picture of our own
	}
	return b.Bytes()
}
