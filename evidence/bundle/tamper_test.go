package bundle_test

import (
	"archive/zip"
	"bytes"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep/evidence/bundle"
)

// entry is a file of a zip archive in a test's hands.
type entry struct {
	name string
	text []byte
}

// open takes a bundle apart.
func open(t require.TestingT, data []byte) (list []entry) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		list = append(list, entry{f.Name, text})
	}
	return list
}

// pack packs files just as the server does.
func pack(t require.TestingT, list []entry) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range list {
		size := uint64(len(e.text))
		w, err := z.CreateRaw(&zip.FileHeader{
			Name: e.name, CRC32: crc32.ChecksumIEEE(e.text), CompressedSize64: size, UncompressedSize64: size,
			CreatorVersion: 3<<8 | 20, ReaderVersion: 20, ExternalAttrs: 0o100644 << 16, ModifiedDate: 1<<5 | 1, //lint:ignore SA1019 as in archive.go
		})
		require.NoError(t, err)
		_, err = w.Write(e.text)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return out.Bytes()
}

// fails expects that a bundle does not hold.
func fails(t require.TestingT, data []byte, key string) {
	report, err := bundle.Verify(data, key, "")
	require.False(t, err == nil && report.Holds(), "it holds")
}

func TestAnyChangedByteOfTheArchiveIsFound(t *testing.T) {
	l, data := small(t)
	rapid.Check(t, func(t *rapid.T) {
		changed := slices.Clone(data)
		changed[rapid.IntRange(0, len(data)-1).Draw(t, "at")] ^= rapid.Byte().Filter(func(b byte) bool { return b != 0 }).Draw(t, "by")
		fails(t, changed, l.key)
	})
}

// The archive's own checksums are no help here: each file is packed anew. Of the
// larger files every fifth byte is enough, for the manifest has one hash of each.
func TestChangedBytesOfEveryFileAreFound(t *testing.T) {
	l, data := small(t)
	list := open(t, data)
	require.True(t, bytes.Equal(data, pack(t, list)), "the test packs as the server does")
	for i := range list {
		original := list[i].text
		step := 5
		if strings.HasPrefix(list[i].name, "manifest") || list[i].name == "checkpoint.txt" {
			step = 1
		}
		for at := 0; at < len(original); at += step {
			list[i].text = slices.Clone(original)
			list[i].text[at] ^= byte(1 << (at % 8))
			fails(t, pack(t, list), l.key)
		}
		list[i].text = original
	}
}

// The last letter of a signature has bits that base64 decoders pass over.
func TestLooseBitsOfASignatureAreFound(t *testing.T) {
	l, data := small(t)
	list := open(t, data)
	for i, e := range list {
		if e.name != "manifest.note" {
			continue
		}
		for c := range strings.SplitSeq("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "") {
			text := slices.Clone(e.text)
			at := bytes.LastIndexByte(text, '=') - 1
			if string(text[at]) == c {
				continue
			}
			text[at] = c[0]
			list[i].text = text
			fails(t, pack(t, list), l.key)
		}
		list[i].text = append(slices.Clone(e.text), "— somebody.else AAAAAAAA\n"...)
		fails(t, pack(t, list), l.key)
	}
}

func TestFilesThatWereAddedRemovedRenamedSwappedOrDoubledAreFound(t *testing.T) {
	l, data := small(t)
	list := open(t, data)
	for i := range list {
		fails(t, pack(t, slices.Delete(slices.Clone(list), i, i+1)), l.key)
		fails(t, pack(t, slices.Insert(slices.Clone(list), i, list[i])), l.key)
		renamed := slices.Clone(list)
		renamed[i].name = strings.ToUpper(renamed[i].name)
		fails(t, pack(t, renamed), l.key)
		if i > 0 {
			swapped := slices.Clone(list)
			swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
			fails(t, pack(t, swapped), l.key)
			swapped[i-1].name, swapped[i].name = swapped[i].name, swapped[i-1].name
			fails(t, pack(t, swapped), l.key)
		}
	}
	for _, name := range []string{"note.txt", "consistency.txt", "records/0005.leaf", "../file.json", "/file.json", `records\0001.leaf`, "records/", "file.json/", "C:file.json"} {
		added := append(slices.Clone(list), entry{name, nil})
		fails(t, pack(t, added), l.key)
		slices.SortFunc(added, func(a, b entry) int { return strings.Compare(a.name, b.name) })
		fails(t, pack(t, added), l.key)
	}
}

func TestWhatStandsAroundTheArchiveIsFound(t *testing.T) {
	l, data := small(t)
	fails(t, append([]byte("x"), data...), l.key)
	fails(t, append(slices.Clone(data), 'x'), l.key)
	fails(t, append(slices.Clone(data), data...), l.key)
	commented := append(slices.Clone(data), "hello"...)
	commented[len(data)-2] = 5 // the end record says how long its comment is
	fails(t, commented, l.key)
	fails(t, nil, l.key)
	fails(t, make([]byte, bundle.MaxSize+1), l.key)
}

func FuzzVerify(f *testing.F) {
	l, data := small(f)
	f.Add(data)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, hostile []byte) {
		report, err := bundle.Verify(hostile, l.key, "")
		if err == nil && report.Holds() && !bytes.Equal(hostile, data) {
			t.Fatal("another bundle holds")
		}
	})
}
