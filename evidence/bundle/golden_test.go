package bundle_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/evidence"
	"doorstep/evidence/bundle"
)

var update = flag.Bool("update", false, "make the golden bundle anew")

const goldenBundle, goldenKey, goldenCheckpoint = "testdata/golden.zip", "testdata/golden.key", "testdata/golden-older-checkpoint.txt"

// goldenPhoto passes for a picture by its first bytes.
var goldenPhoto = []byte("\xff\xd8\xff\xe0 a picture of a door")

// goldenFacts are of every kind that a file makes something of.
func goldenFacts() []evidence.Fact {
	list := facts()
	one := func(id string, kind evidence.Kind, source evidence.Source, minutes int, fields ...evidence.Field) {
		f := list[0]
		f.ID, f.Kind, f.Source, f.Fields = id, kind, source, fields
		f.OccurredAt = filed.Add(time.Duration(minutes) * time.Minute)
		f.ReceivedAt = f.OccurredAt.Add(2 * time.Second)
		list = append(list, f)
	}
	field := func(name string, value any) evidence.Field { return evidence.Field{Name: name, Value: value} }
	one("r5", evidence.Alert, evidence.Server, -179, field("tags", []string{"no_locker"}), field("alert_id", "a1"))
	one("r6", evidence.Push, evidence.Server, -178, field("push_id", "p1"), field("outcome", "sent"))
	one("r7", evidence.Receipt, evidence.Device, -170, field("alert_id", "a1"), field("event", "opened"))
	one("r8", evidence.Call, evidence.Provider, -58, field("call_id", "c1"), field("state", "ringing"), field("ring_at", filed.Add(-58*time.Minute)), field("peer", "138******01"))
	one("r9", evidence.Call, evidence.Provider, -57, field("call_id", "c1"), field("state", "no_answer"), field("ended_at", filed.Add(-57*time.Minute)), field("ended_by", "consumer"))
	one("r10", evidence.Message, evidence.Provider, -56, field("message_id", "m1"), field("state", "delivered"))
	one("r11", evidence.SignFor, evidence.Device, -40, field("act", "sign_for"), field("method", "locker"), field("ground", "override"), field("by", "Sun Yan"), field("distance_m", 40))
	one("r12", evidence.Photo, evidence.Device, -40, field("sha256", hashOf(goldenPhoto)), field("taken_at", filed.Add(-41*time.Minute).Format(time.RFC3339)))
	one("r13", evidence.Access, evidence.Server, 60, field("opened", "bundle"), field("role", "manager"), field("by", "Sun Yan"))
	one("r14", evidence.Erasure, evidence.Server, 50, field("class", "coordinates"), field("records", []string{"r3"}))
	one("r15", evidence.Photo, evidence.Device, -39, field("sha256", strings.Repeat("ab", 32)), field("taken_at", filed.Add(-41*time.Minute).Format(time.RFC3339)))
	one("r16", evidence.Scan, evidence.Server, -200, field("code", "EDG"), field("system", "upu"), field("status", "out_for_delivery"))
	return list
}

// A bundle that was made once verifies for ever, and its file follows from its
// records by the rules that it names.
func TestTheGoldenBundleHolds(t *testing.T) {
	if *update {
		makeGolden(t)
	}
	data, key := readFile(t, goldenBundle), string(readFile(t, goldenKey))
	report, err := bundle.Verify(data, key, string(readFile(t, goldenCheckpoint)))
	require.NoError(t, err)
	require.Empty(t, report.Problems)
	require.Len(t, report.Records, 16)
	require.Equal(t, []bundle.State{bundle.OK, bundle.Absent}, []bundle.State{report.Photos[0].State, report.Photos[1].State})
	require.Equal(t, bundle.Erased, stateOf(report, 2, "lat"))
	require.Equal(t, bundle.Withheld, stateOf(report, 7, "peer"))
	require.NotContains(t, strings.Join(report.NotCovered, "\n"), "does not know", "its file was made again")

	var file evidence.File
	for _, e := range open(t, data) {
		if e.name == "file.json" {
			require.NoError(t, json.Unmarshal(e.text, &file))
		}
	}
	require.Equal(t, 100, file.Completeness)
	require.Len(t, file.Supports.Courier, 8)
	require.Len(t, file.Supports.Consumer, 3)
}

func makeGolden(t *testing.T) {
	l := newLogbook(t, freshKey)
	var list []kept
	for _, f := range goldenFacts() {
		list = append(list, l.keep(t, f))
		if f.ID == "r9" {
			require.NoError(t, os.WriteFile(goldenCheckpoint, []byte(l.checkpoint(t).Note), 0o600))
		}
	}
	for _, name := range []string{"lat", "lng"} {
		delete(list[2].opening.Values, name)
		delete(list[2].opening.Salts, name)
	}
	c := grown(t, l, contents(t, l, manager, list...), 9)
	c.Records[2].ErasedBy = "r14"
	c.Photos = []bundle.Photo{{SHA256: strings.Repeat("ab", 32), Absent: bundle.NotArrived}, {SHA256: hashOf(goldenPhoto), Bytes: goldenPhoto}}
	data, err := bundle.Pack(c, l.signing())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(goldenBundle, data, 0o600))
	require.NoError(t, os.WriteFile(goldenKey, []byte(l.key), 0o600))
}

func readFile(t *testing.T, name string) []byte {
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return data
}
