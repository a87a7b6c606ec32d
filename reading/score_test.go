package reading_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/complaints"
	"doorstep/prefs"
	"doorstep/reading"
)

// scored are three rows and what a reader said of them.
var scored = []struct {
	row  reading.Row
	said reading.Reading
}{
	{
		reading.Row{Lang: "en", Text: "a", Category: complaints.Other, Tags: []prefs.Tag{prefs.NoLocker, prefs.CallFirst}, Avoid: []prefs.Tag{prefs.LockerOK}},
		reading.Reading{Category: complaints.Other, Tags: []reading.TagReading{{Tag: prefs.NoLocker}, {Tag: prefs.ToDoor}}},
	},
	{
		reading.Row{Lang: "zh", Text: "b", Category: complaints.Delay, Avoid: []prefs.Tag{prefs.NoCall, prefs.ToDoor}},
		reading.Reading{Category: complaints.Lost, Tags: []reading.TagReading{{Tag: prefs.NoCall}}},
	},
	{
		reading.Row{Lang: "zh", Text: "c", Category: complaints.Delay},
		reading.Reading{Category: complaints.Delay},
	},
}

func evaluated() reading.Score {
	said := make(map[string]reading.Reading)
	var rows []reading.Row
	for _, s := range scored {
		rows = append(rows, s.row)
		said[s.row.Text] = s.said
	}
	return reading.Evaluate(rows, func(text string) reading.Reading { return said[text] })
}

func TestScoresPoolTagsOverRows(t *testing.T) {
	s := evaluated()
	require.Equal(t, reading.Count{TruePositives: 1, FalsePositives: 2, FalseNegatives: 1}, s.All.Tags)
	require.InDelta(t, 1.0/3, s.All.Tags.Precision(), 1e-9)
	require.InDelta(t, 0.5, s.All.Tags.Recall(), 1e-9)
	require.InDelta(t, 0.4, s.All.Tags.F1(), 1e-9)
	require.InDelta(t, 2.0/3, s.All.CategoryAccuracy(), 1e-9)
	require.InDelta(t, 1.0/3, s.All.TrapRate(), 1e-9)
	require.InDelta(t, 0.5, s.All.EmptyRate(), 1e-9)
	require.Equal(t, 2, s.ByLang["zh"].Rows)
	require.Equal(t, reading.Count{TruePositives: 1, FalsePositives: 1, FalseNegatives: 1}, s.ByLang["en"].Tags)
	require.Equal(t, reading.Count{FalsePositives: 1}, s.ByTag[prefs.NoCall])
}

func TestARatioWithoutCasesIsZero(t *testing.T) {
	s := reading.Evaluate(nil, nil)
	require.Zero(t, s.All.Tags.F1())
	require.Zero(t, s.All.CategoryAccuracy())
	require.Zero(t, s.All.TrapRate())
}

func TestReportsCarryTheRatios(t *testing.T) {
	text, err := json.Marshal(evaluated())
	require.NoError(t, err)
	var got struct {
		All struct {
			Tags struct {
				F1 float64 `json:"f1"`
			} `json:"tags"`
			CategoryAccuracy float64 `json:"category_accuracy"`
		} `json:"all"`
	}
	require.NoError(t, json.Unmarshal(text, &got))
	require.InDelta(t, 0.4, got.All.Tags.F1, 1e-9)
	require.InDelta(t, 2.0/3, got.All.CategoryAccuracy, 1e-9)

	var table bytes.Buffer
	require.NoError(t, evaluated().WriteReport(&table))
	require.Regexp(t, `(?m)^all +3 +0\.333 +0\.500 +0\.400 +0\.667 +0\.333 +0\.500$`, table.String())
	require.Regexp(t, `(?m)^no_call +0 +0\.000`, table.String())
}

func TestEveryAuthorIsReadByAReaderThatNeverSawHim(t *testing.T) {
	_, plain := labelled(t)
	authors := []reading.Author{{Name: "a", Rows: plain[:40]}, {Name: "b", Rows: plain[40:60]}, {Name: "c", Rows: plain[60:120]}}
	pooled, each := reading.CrossValidate(authors, plain[120:], reading.Training{Epochs: 2, Networks: 1}, "a", "c")
	require.Equal(t, 100, pooled.All.Rows)
	require.Len(t, each, 2)
	require.Equal(t, 40, each[0].Score.All.Rows)
	var table bytes.Buffer
	require.NoError(t, reading.WriteLeftOut(&table, each))
	require.Contains(t, table.String(), "without c")

	pooled, each = reading.LeaveOut(authors, plain[120:], reading.Training{Epochs: 2, Networks: 1}, "a", "c")
	require.Equal(t, 100, pooled.All.Rows)
	require.Len(t, each, 2)
	require.Equal(t, "c", each[1].Author)
	require.Equal(t, 60, each[1].Score.All.Rows)
}

func TestTheWorstRowsAreNamed(t *testing.T) {
	worst := evaluated().Worst
	require.Len(t, worst, 2)
	require.Equal(t, []prefs.Tag{prefs.ToDoor}, worst[0].Wrong)
	require.Equal(t, []prefs.Tag{prefs.CallFirst}, worst[0].Missing)
	require.Equal(t, complaints.Lost, worst[1].Read)
	var table bytes.Buffer
	require.NoError(t, evaluated().WriteReport(&table))
	require.Contains(t, table.String(), "read lost, labelled delay; wrong [no_call]")
}
