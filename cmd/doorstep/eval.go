package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"doorstep/reading"
)

// evalCmd scores the reader against labelled rows.
type evalCmd struct {
	Gold              string   `help:"Labelled rows (ndjson: id, lang, text, category, tags, avoid)." type:"existingfile" xor:"rows"`
	LeaveOneAuthorOut string   `help:"Score readers that never saw the author: trains without each complaints-*.ndjson of this folder in turn." type:"existingdir" xor:"rows"`
	Author            []string `help:"With --leave-one-author-out: leave out only these." placeholder:"NAME"`
	Together          bool     `help:"With --author: leave them all out of one training."`
	JSON              bool     `help:"Write JSON instead of tables." name:"json"`
}

// Run writes the score to standard output.
func (c *evalCmd) Run(s *streams) error {
	var result struct {
		reading.Score
		LeftOut []reading.LeftOut `json:"left_out,omitempty"`
	}
	switch {
	case c.Together && len(c.Author) == 0:
		return errors.New("eval: --together needs --author")
	case c.LeaveOneAuthorOut != "":
		authors, plain, err := labelled(c.LeaveOneAuthorOut)
		if err != nil {
			return err
		}
		leaveOut := reading.CrossValidate
		if c.Together {
			leaveOut = reading.LeaveOut
		}
		result.Score, result.LeftOut = leaveOut(authors, plain, reading.Training{}, c.Author...)
	case c.Gold != "":
		rows, err := goldRows(c.Gold)
		if err != nil {
			return err
		}
		reader, err := reading.New()
		if err != nil {
			return err
		}
		result.Score = reading.Evaluate(rows, reader.Read)
	default:
		return errors.New("eval: give --gold or --leave-one-author-out")
	}
	if c.JSON {
		enc := json.NewEncoder(s.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(result)
	}
	if len(result.LeftOut) > 0 {
		if err := reading.WriteLeftOut(s.Out, result.LeftOut); err != nil {
			return err
		}
		fmt.Fprintln(s.Out)
	}
	return result.WriteReport(s.Out)
}

func goldRows(name string) ([]reading.Row, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := reading.ReadRows(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rows, nil
}

// labelled reads a folder of training data.
func labelled(dir string) ([]reading.Author, []reading.Row, error) {
	files := os.DirFS(dir)
	authors, err := reading.Authors(files)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	plain, err := reading.Plain(files)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	return authors, plain, nil
}
