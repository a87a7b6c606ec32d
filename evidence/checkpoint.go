package evidence

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is the state of a log, as its key signed it.
type Checkpoint struct {
	Origin    string // names the log
	Size      int64  // how many leaves it has
	Root      tlog.Hash
	Note      string    // the signed text: what a reader is to keep
	CreatedAt time.Time // not signed: zero in what OpenCheckpoint gives
}

// Origin names a log of the key with this name: a company's, or that of one of
// its outlets. Whatever the carrier calls them stays one line.
func Origin(key, company, outlet string) string {
	name := key + "/" + url.PathEscape(company)
	if outlet != "" {
		name += "/" + url.PathEscape(outlet)
	}
	return name
}

// SignCheckpoint signs the state of a log, as C2SP tlog-checkpoint has it.
func SignCheckpoint(origin string, size int64, root tlog.Hash, signers ...note.Signer) (string, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)
	signed, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	return string(signed), nil
}

var errCheckpoint = errors.New("not a checkpoint")

// OpenCheckpoint reads a checkpoint that one of the known keys has signed. Other
// signatures are left alone, and so are lines that a later version may add.
func OpenCheckpoint(signed string, known note.Verifiers) (c Checkpoint, err error) {
	n, err := note.Open([]byte(signed), known)
	if err != nil {
		return c, fmt.Errorf("checkpoint: %w", err)
	}
	for _, sig := range n.Sigs { // the library passes over loose bits: two texts must not be one signature
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return c, errCheckpoint
		}
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] == "" {
		return c, errCheckpoint
	}
	c.Origin, c.Note = lines[0], signed
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 || strconv.FormatInt(c.Size, 10) != lines[1] {
		return c, errCheckpoint
	}
	if c.Root, err = parseHash(lines[2]); err != nil {
		return c, errCheckpoint
	}
	return c, nil
}
