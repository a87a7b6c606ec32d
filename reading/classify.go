package reading

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"doorstep"
)

// maxLine is how long a line of Classify may be, in bytes. A text of 5 MB fits
// even if every byte of it is escaped.
const maxLine = 32 << 20

// Verdict is what Classify answers to one line.
type Verdict struct {
	ID         json.RawMessage `json:"id"` // as it came
	Tags       []string        `json:"tags"`
	Category   string          `json:"category"`
	Confidence float64         `json:"confidence"` // of the category
	Because    []Because       `json:"because"`
}

// Because names words that decided, in runes of the text: for a tag or for the
// category.
type Because struct {
	Tag      string `json:"tag,omitempty"`
	Category string `json:"category,omitempty"`
	Start    int    `json:"start"`
	End      int    `json:"end"`
}

// Classify answers every {"id", "text"} line of in with a Verdict line on out.
// A line that is none is named on problems, its neighbours are answered all the
// same, and the error at the end unwraps to doorstep.ErrInvalid.
func Classify(in io.Reader, out, problems io.Writer, read func(string) Reading) error {
	lines := bufio.NewReaderSize(in, 1<<16)
	answers := bufio.NewWriter(out)
	enc := json.NewEncoder(answers)
	enc.SetEscapeHTML(false)
	bad := 0
	for n := 1; ; n++ {
		line, tooLong, err := nextLine(lines)
		if err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(fmt.Errorf("line %d: %w", n, err), answers.Flush())
		}
		last := err != nil
		if len(bytes.TrimSpace(line)) > 0 || tooLong {
			verdict, err := classifyLine(line, tooLong, read)
			if err != nil {
				bad++
				fmt.Fprintf(problems, "line %d: %v\n", n, err)
			} else if err := enc.Encode(verdict); err != nil {
				return fmt.Errorf("write verdict: %w", err)
			}
		}
		// Whoever talks to us line by line waits for the answer.
		if last || lines.Buffered() == 0 {
			if err := answers.Flush(); err != nil {
				return fmt.Errorf("write verdicts: %w", err)
			}
		}
		if last {
			break
		}
	}
	if bad > 0 {
		return fmt.Errorf("%w: %d of the lines could not be read", doorstep.ErrInvalid, bad)
	}
	return nil
}

func classifyLine(line []byte, tooLong bool, read func(string) Reading) (Verdict, error) {
	if tooLong {
		return Verdict{}, fmt.Errorf("longer than %d bytes", maxLine)
	}
	var request struct {
		ID   json.RawMessage `json:"id"`
		Text *string         `json:"text"`
	}
	if err := json.Unmarshal(line, &request); err != nil {
		return Verdict{}, err
	}
	if request.ID == nil {
		return Verdict{}, errors.New("no id")
	}
	if request.Text == nil {
		return Verdict{}, errors.New("no text")
	}
	got := read(*request.Text)
	v := Verdict{ID: request.ID, Tags: make([]string, len(got.Tags)), Category: string(got.Category),
		Confidence: got.Confidence, Because: []Because{}}
	for i, t := range got.Tags {
		v.Tags[i] = string(t.Tag)
		for _, s := range t.Because {
			v.Because = append(v.Because, Because{Tag: v.Tags[i], Start: s.Start, End: s.End})
		}
	}
	for _, s := range got.CategoryBecause {
		v.Because = append(v.Because, Because{Category: v.Category, Start: s.Start, End: s.End})
	}
	return v, nil
}

// nextLine reads up to the next newline. What exceeds maxLine is dropped.
func nextLine(r *bufio.Reader) (line []byte, tooLong bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			tooLong = true
			line = nil
		}
		if !tooLong {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, tooLong, err
		}
	}
}
