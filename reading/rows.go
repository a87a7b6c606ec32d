package reading

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"

	"doorstep"
	"doorstep/complaints"
	"doorstep/prefs"
)

// Row is one labelled complaint; data/README.md is the label guide.
type Row struct {
	ID       string              `json:"id"`
	Lang     string              `json:"lang"` // "zh" or "en"
	Text     string              `json:"text"`
	Category complaints.Category `json:"category"` // "" where a plain row has none
	Tags     []prefs.Tag         `json:"tags"`
	Avoid    []prefs.Tag         `json:"avoid"` // traps: tags that a keyword matcher would infer wrongly
}

// Author is the rows of one writer, and the unit that cross-validation leaves
// out.
type Author struct {
	Name string // of the file, without "complaints-" and ".ndjson"
	Rows []Row
}

// Authors reads every complaints-*.ndjson of dir in the order of their names.
func Authors(dir fs.FS) ([]Author, error) {
	names, err := fs.Glob(dir, "complaints-*.ndjson")
	if err != nil {
		return nil, fmt.Errorf("list labelled rows: %w", err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("complaints-*.ndjson: %w", fs.ErrNotExist)
	}
	sort.Strings(names)
	authors := make([]Author, len(names))
	for i, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("read labelled rows: %w", err)
		}
		rows, err := ReadRows(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		short := strings.TrimSuffix(strings.TrimPrefix(path.Base(name), "complaints-"), ".ndjson")
		authors[i] = Author{Name: short, Rows: rows}
	}
	return authors, nil
}

// Plain reads the plain rows of dir: short statements that every reader is
// trained on and none is scored on.
func Plain(dir fs.FS) ([]Row, error) {
	const name = "plain.ndjson"
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, fmt.Errorf("read plain rows: %w", err)
	}
	rows, err := readRows(bytes.NewReader(text), append(slices.Clone(complaints.Categories), ""))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rows, nil
}

// TrainingRows joins all rows in the order in which the shipped weights were
// trained.
func TrainingRows(authors []Author, plain []Row) []Row {
	rows := slices.Clone(plain)
	for _, a := range authors {
		rows = append(rows, a.Rows...)
	}
	return rows
}

// ReadRows reads rows from ndjson. A row outside the vocabulary is refused
// with its line number, as doorstep.ErrInvalid.
func ReadRows(r io.Reader) ([]Row, error) { return readRows(r, complaints.Categories) }

func readRows(r io.Reader, categories []complaints.Category) ([]Row, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	var rows []Row
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var row Row
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return nil, fmt.Errorf("line %d: %w: %w", n, doorstep.ErrInvalid, err)
		}
		if err := row.check(categories); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read labelled rows: %w", err)
	}
	return rows, nil
}

func (r *Row) check(categories []complaints.Category) error {
	if !slices.Contains(categories, r.Category) {
		return fmt.Errorf("%w: unknown category %q", doorstep.ErrInvalid, r.Category)
	}
	for _, tag := range slices.Concat(r.Tags, r.Avoid) {
		if !slices.Contains(prefs.Tags, tag) {
			return fmt.Errorf("%w: unknown tag %q", doorstep.ErrInvalid, tag)
		}
	}
	return nil
}
