package reading

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"doorstep"
	"doorstep/complaints"
	"doorstep/prefs"
)

//go:embed weights/reader.bin
var shipped []byte

// The weights file: magic, version, then little-endian in the order of Save. A
// change of the features, of the shape or of the format needs a new version.
const (
	magic   = "doorstep-reading"
	version = 3
)

// What a damaged file can make us allocate is bounded.
const (
	mostFeatures = 1 << 18
	mostNetworks = 16
)

// New loads the reader that is shipped with the program.
func New() (*Reader, error) {
	r, err := Load(shipped)
	if err != nil {
		return nil, fmt.Errorf("shipped weights: %w", err)
	}
	return r, nil
}

// Digest names a set of training rows: equal rows in equal order have equal
// digests, together with the lexicon they are read with.
func Digest(rows []Row) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s\n", version, conceptLines)
	enc := json.NewEncoder(h)
	for _, r := range rows {
		_ = enc.Encode(r) // a hash takes every byte, and a Row is always JSON
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// Digest names the rows from which the reader was trained.
func (r *Reader) Digest() [sha256.Size]byte { return r.model.digest }

// vocabulary pins the meaning and order of the outputs.
func vocabulary() string {
	var names []string
	for _, t := range prefs.Tags {
		names = append(names, string(t))
	}
	for _, c := range complaints.Categories {
		names = append(names, string(c))
	}
	return strings.Join(names, " ")
}

// Save writes the weights in the form that Load reads.
func (r *Reader) Save(w io.Writer) error {
	m := r.model
	words := vocabulary()
	parts := []any{uint32(version), m.digest, uint32(len(words)), []byte(words), uint32(len(m.index.ids)), uint32(len(m.networks)), m.index.ids}
	for _, n := range m.networks {
		parts = append(parts, n.all, n.scale, n.table)
	}
	var b bytes.Buffer
	b.WriteString(magic)
	for _, part := range parts {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			return fmt.Errorf("encode weights: %w", err)
		}
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write weights: %w", err)
	}
	return nil
}

// Load reads weights that Save wrote, and keeps the tables where they lie in
// text. Another version, another vocabulary or a damaged file gives
// doorstep.ErrInvalid.
func Load(text []byte) (*Reader, error) {
	b := bytes.NewReader(text)
	var head struct {
		Magic   [len(magic)]byte
		Version uint32
		Digest  [sha256.Size]byte
		Words   uint32
	}
	if err := binary.Read(b, binary.LittleEndian, &head); err != nil || string(head.Magic[:]) != magic {
		return nil, fmt.Errorf("%w: not a weights file", doorstep.ErrInvalid)
	}
	if head.Version != version {
		return nil, fmt.Errorf("%w: weights of version %d, want %d", doorstep.ErrInvalid, head.Version, version)
	}
	if words := vocabulary(); int(head.Words) != len(words) || string(next(b, len(words))) != words {
		return nil, fmt.Errorf("%w: weights for another vocabulary", doorstep.ErrInvalid)
	}
	var size struct{ Features, Networks uint32 }
	if err := binary.Read(b, binary.LittleEndian, &size); err != nil || size.Features > mostFeatures ||
		size.Networks == 0 || size.Networks > mostNetworks {
		return nil, fmt.Errorf("%w: number of features or networks", doorstep.ErrInvalid)
	}
	ids := make([]uint32, size.Features)
	err := binary.Read(b, binary.LittleEndian, ids)
	var networks []*network
	for range size.Networks {
		n := &network{weights: newWeights(), scale: make([]float32, size.Features)}
		for _, part := range []any{n.all, n.scale} {
			if err == nil {
				err = binary.Read(b, binary.LittleEndian, part)
			}
		}
		at, end := len(text)-b.Len(), len(text)-b.Len()+len(ids)*packed
		if err != nil || end > len(text) {
			return nil, fmt.Errorf("%w: weights are cut short", doorstep.ErrInvalid)
		}
		n.table = text[at:end:end]
		_, err = b.Seek(int64(end), io.SeekStart)
		networks = append(networks, n)
	}
	if err != nil || b.Len() > 0 || !slices.IsSorted(ids) {
		return nil, fmt.Errorf("%w: weights are damaged", doorstep.ErrInvalid)
	}
	m := newModel(head.Digest, ids)
	m.networks = networks
	return newReader(m), nil
}

// next reads n bytes, or nil if there are fewer.
func next(b *bytes.Reader, n int) []byte {
	out := make([]byte, n)
	if _, err := io.ReadFull(b, out); err != nil {
		return nil
	}
	return out
}
