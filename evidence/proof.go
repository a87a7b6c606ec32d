package evidence

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Inclusion shows that a log has a leaf at an index.
type Inclusion struct {
	Index      int64
	Hashes     tlog.RecordProof
	Checkpoint string // signed
}

const (
	proofHeader = "c2sp.org/tlog-proof@v1"
	maxHashes   = 63 // of a proof: sizes have 63 bits
)

// Text is the proof as C2SP tlog-proof has it.
func (p Inclusion) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nindex %d\n", proofHeader, p.Index)
	for _, h := range p.Hashes {
		fmt.Fprintln(&b, h)
	}
	fmt.Fprintf(&b, "\n%s", p.Checkpoint)
	return b.String()
}

var errProof = errors.New("not a proof of c2sp.org/tlog-proof@v1")

// ParseInclusion reads a proof's text. An "extra" line, which nothing
// authenticates, is refused.
func ParseInclusion(text string) (p Inclusion, err error) {
	head, checkpoint, ok := strings.Cut(text, "\n\n")
	if !ok {
		return p, errProof
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 2 || len(lines) > 2+maxHashes || lines[0] != proofHeader {
		return p, errProof
	}
	index, ok := strings.CutPrefix(lines[1], "index ")
	if p.Index, err = strconv.ParseInt(index, 10, 64); err != nil || !ok || p.Index < 0 || strconv.FormatInt(p.Index, 10) != index {
		return Inclusion{}, errProof
	}
	for _, line := range lines[2:] {
		h, err := parseHash(line)
		if err != nil {
			return Inclusion{}, errProof
		}
		p.Hashes = append(p.Hashes, h)
	}
	p.Checkpoint = checkpoint
	return p, nil
}

// Check says whether the log of that origin has the leaf, by nothing but the
// keys' word, and gives the checkpoint that says so.
func (p Inclusion) Check(leaf tlog.Hash, origin string, known note.Verifiers) (Checkpoint, error) {
	c, err := OpenCheckpoint(p.Checkpoint, known)
	if err != nil {
		return c, err
	}
	if c.Origin != origin {
		return c, errors.New("the checkpoint is of another log")
	}
	if p.Index >= c.Size {
		return c, errors.New("the proof is of a leaf behind the end of the log")
	}
	if err := tlog.CheckRecord(p.Hashes, c.Size, c.Root, p.Index, leaf); err != nil {
		return c, fmt.Errorf("inclusion: %w", err)
	}
	return c, nil
}
