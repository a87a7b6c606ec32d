package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"regexp"
	"slices"
)

// Bounds of what is read from strangers.
const (
	MaxSize    = 64 << 20 // bytes of a bundle
	MaxRecords = 10_000
	maxOthers  = 1000                                       // logs of other outlets
	maxFiles   = 4*MaxRecords + maxOthers + len(fixedNames) // a record has three, and may declare a photo
)

// The names that a file of a bundle may have.
var (
	fixedNames  = [...]string{manifestName, signatureName, checkpointName, consistencyName, fileName}
	recordNames = regexp.MustCompile(`^(records/[0-9]{4,5}\.(leaf|tlog-proof|fields\.json)|checkpoints/[0-9]{4}\.txt)$`)
)

// files are the contents of a bundle, by name.
type files map[string][]byte

// zipHeaders is about what the zip format adds to a file beside twice its name, in
// bytes.
const zipHeaders = 96

// archive writes files as the one zip that they make: sorted, stored without
// compression, with nothing in the headers that could differ. So every byte of a
// bundle follows from its files, and nothing in it inflates.
func (f files) archive() ([]byte, error) {
	size := 0
	for name, text := range f {
		size += len(text) + 2*len(name) + zipHeaders
	}
	var out bytes.Buffer
	out.Grow(size) // photos are large: doubling would take as much again
	z := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		size := uint64(len(f[name]))
		w, err := z.CreateRaw(&zip.FileHeader{
			Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(f[name]), CompressedSize64: size, UncompressedSize64: size,
			CreatorVersion: 3<<8 | 20, ReaderVersion: 20, // Unix, and the format's version 2.0
			ExternalAttrs: 0o100644 << 16, ModifiedDate: 1<<5 | 1, //lint:ignore SA1019 Modified would add an extra field; this is 1980-01-01
		})
		if err != nil {
			return nil, fmt.Errorf("zip: %w", err)
		}
		if _, err := w.Write(f[name]); err != nil {
			return nil, fmt.Errorf("zip: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("zip: %w", err)
	}
	return out.Bytes(), nil
}

// unpack reads a bundle's files. It refuses what is not exactly what archive
// writes: a byte more, less or other anywhere, also where a zip reader would not
// look.
func unpack(data []byte) (files, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("the bundle is larger than %d MB", MaxSize>>20)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("not a zip archive: %w", err)
	}
	if len(z.File) > maxFiles {
		return nil, fmt.Errorf("more than %d files", maxFiles)
	}
	f := make(files, len(z.File))
	left := uint64(len(data)) // the files of a hostile archive may overlap: together they are no larger than what was read
	for _, entry := range z.File {
		name := entry.Name
		switch _, twice := f[name]; {
		case twice:
			return nil, fmt.Errorf("%q is there twice", name)
		case !slices.Contains(fixedNames[:], name) && !recordNames.MatchString(name) && !photoNames.MatchString(name):
			return nil, fmt.Errorf("%q is no file of a bundle", name)
		case entry.Method != zip.Store || entry.CompressedSize64 != entry.UncompressedSize64:
			return nil, fmt.Errorf("%q is compressed", name)
		case entry.UncompressedSize64 > left:
			return nil, fmt.Errorf("%q is larger than what is left of the archive: files overlap", name)
		}
		left -= entry.UncompressedSize64
		if f[name], err = content(entry); err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
	}
	again, err := f.archive()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, data) {
		return nil, errors.New("the archive holds something beside its files: it was packed anew, or changed")
	}
	return f, nil
}

// content reads a file. Its checksum needs no look: packed anew it would differ.
func content(entry *zip.File) ([]byte, error) {
	r, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body := make([]byte, entry.UncompressedSize64)
	_, err = io.ReadFull(r, body)
	return body, err
}
