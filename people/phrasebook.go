package people

import (
	"bytes"
	_ "embed"
	"fmt"

	"doorstep/complaints"
	"doorstep/prefs"
	"doorstep/reading"
)

// words is every 24th row of each author of reading/data, neither picked nor
// changed. After a change there:
//
//	awk 'FNR % 24 == 0' reading/data/complaints-author-*.ndjson >people/words.ndjson
//
//go:embed words.ndjson
var words []byte

// ByWish sorts rows by what they teach, "" for nothing. Those that teach more
// than one wish are left out.
func ByWish(rows []reading.Row) map[prefs.Tag][]reading.Row {
	book := map[prefs.Tag][]reading.Row{}
	for _, row := range rows {
		switch len(row.Tags) {
		case 0:
			book[""] = append(book[""], row)
		case 1:
			book[row.Tags[0]] = append(book[row.Tags[0]], row)
		}
	}
	return book
}

// Phrasebook is what consumers say, in the words of real rows.
type Phrasebook struct {
	wishes     map[prefs.Tag][]reading.Row
	falseSigns []reading.Row // of a parcel signed for that was not handed over, and nothing else
	mishaps    []reading.Row // of anything else that teaches nothing
}

// Words opens the phrasebook that is part of the program.
func Words() (b Phrasebook, err error) {
	rows, err := reading.ReadRows(bytes.NewReader(words))
	if err != nil {
		return b, fmt.Errorf("the town's words: %w", err)
	}
	b.wishes = ByWish(rows)
	for _, row := range b.wishes[""] {
		if row.Category == complaints.FalseSignFor {
			b.falseSigns = append(b.falseSigns, row)
		} else {
			b.mishaps = append(b.mishaps, row)
		}
	}
	return b, nil
}

// Say picks words for a grievance by a number in [0, 1).
func (b Phrasebook) Say(g Grievance, chance float64) string {
	rows := b.mishaps
	switch {
	case g.Wish != "":
		rows = b.wishes[g.Wish]
	case g.FalseSign:
		rows = b.falseSigns
	}
	return rows[int(chance*float64(len(rows)))].Text
}
