package bundle_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/evidence"
	"doorstep/evidence/bundle"
)

// thousand are the contents of a bundle of a thousand records from a log of a
// hundred thousand.
func thousand(b *testing.B) (*logbook, bundle.Contents) {
	l := newLogbook(b, freshKey)
	var list []kept
	for i := range 1000 {
		for j := range 99 {
			l.add(b, fmt.Appendf(nil, "another record %d %d\n", i, j))
		}
		f := facts()[1]
		f.ID = fmt.Sprintf("7k-01936f40-77aa-7d10-8c33-%012d", i)
		f.Fields = append(f.Fields, evidence.Field{Name: "call_id", Value: f.ID}, evidence.Field{Name: "state", Value: "ended"})
		list = append(list, l.keep(b, f))
	}
	return l, contents(b, l, manager, list...)
}

// BenchmarkVerify goes from the archive's bytes to the report, and lays the file
// out again.
func BenchmarkVerify(b *testing.B) {
	l, c := thousand(b)
	data, err := bundle.Pack(c, l.signing())
	require.NoError(b, err)
	for b.Loop() {
		report, err := bundle.Verify(data, l.key, "")
		if err != nil || !report.Holds() {
			b.Fatal(err, report.Problems)
		}
	}
	b.ReportMetric(float64(len(c.Records)*b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkCheck checks records that were read: leaf hash, inclusion, and the
// commitments of six fields.
func BenchmarkCheck(b *testing.B) {
	_, c := thousand(b)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := c.Records[i%len(c.Records)].Check(c.Checkpoint); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
