package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"

	"doorstep"
)

// row is one line of an import: text fields by name, or why it is none.
type row struct {
	line   int
	fields map[string]string
	err    error
}

// check says what is wrong with a row before its values are looked at.
func (r row) check(columns []string) error {
	if r.err != nil {
		return r.err
	}
	var checks doorstep.Checks
	for name := range r.fields {
		if !slices.Contains(columns, name) {
			checks.Add("/"+name, "unknown_field", "is not a field of these rows")
		}
	}
	return checks.Err()
}

// rowReader gives rows one by one, nil at the end. An error ends the import.
type rowReader interface {
	next() (*row, error)
}

// maxLine bounds a line of ndjson, in bytes.
const maxLine = 1 << 20

func newRows(name string, r io.Reader) rowReader {
	if strings.EqualFold(filepath.Ext(name), ".csv") {
		in := csv.NewReader(bufio.NewReader(r))
		in.FieldsPerRecord = -1
		return &csvRows{in: in}
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	return &jsonRows{lines: lines}
}

func badRow(code, detail string) error {
	return &doorstep.InvalidError{Fields: []doorstep.FieldError{{Code: code, Detail: detail}}}
}

type jsonRows struct {
	lines *bufio.Scanner
	line  int
}

func (j *jsonRows) next() (*row, error) {
	for j.lines.Scan() {
		j.line++
		text := bytes.TrimSpace(j.lines.Bytes())
		if len(text) == 0 {
			continue
		}
		r := &row{line: j.line}
		switch err := json.Unmarshal(text, &r.fields); {
		case !utf8.Valid(text):
			r.err = badRow("invalid_utf8", "is not UTF-8")
		case err != nil:
			r.err = badRow("malformed", "must be a JSON object whose values are texts")
		}
		return r, nil
	}
	return nil, j.lines.Err()
}

type csvRows struct {
	in     *csv.Reader
	header []string
}

// byteOrderMark is what spreadsheets put before UTF-8.
const byteOrderMark = "\ufeff"

func (c *csvRows) next() (*row, error) {
	if c.header == nil {
		header, err := c.in.Read()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("header: %w", err)
		}
		header[0] = strings.TrimPrefix(header[0], byteOrderMark)
		c.header = header
	}
	record, err := c.in.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	line, _ := c.in.FieldPos(0)
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax):
		return &row{line: syntax.StartLine, err: badRow("malformed", "is not well-formed CSV")}, nil
	case err != nil:
		return nil, err
	case len(record) != len(c.header):
		return &row{line: line, err: badRow("malformed", "has not as many columns as the header")}, nil
	}
	r := &row{line: line, fields: map[string]string{}}
	for i, name := range c.header {
		if !utf8.ValidString(record[i]) {
			r.err = badRow("invalid_utf8", "is not UTF-8")
		}
		r.fields[strings.TrimSpace(name)] = record[i]
	}
	return r, nil
}

// readCounter moves the progress bar with what is read.
type readCounter struct {
	io.Reader
	bar *progressbar.ProgressBar
}

func (r readCounter) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	_ = r.bar.Add(n) // a bar that cannot be drawn must not stop an import
	return n, err
}

// isTerminal says whether a person watches w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
