package complaints_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/complaints"
)

func TestAClockWarnsAtHalfAndBreachesAfterItsLastMoment(t *testing.T) {
	filed := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	open := complaints.Clock{From: filed, Due: filed.Add(complaints.Promise)}
	for _, tt := range []struct {
		after time.Duration
		want  complaints.ClockState
	}{
		{0, complaints.Running},
		{12*time.Hour - 1, complaints.Running},
		{12 * time.Hour, complaints.Warned},
		{24 * time.Hour, complaints.Warned},
		{24*time.Hour + 1, complaints.Breached},
		{-time.Hour, complaints.Running},
	} {
		require.Equal(t, tt.want, open.State(filed.Add(tt.after)), tt.after)
	}
	met := open
	met.MetAt = open.Due
	require.Equal(t, complaints.Met, met.State(filed.Add(48*time.Hour)), "answered at the last moment")
	met.MetAt = open.Due.Add(1)
	require.Equal(t, complaints.Breached, met.State(filed.Add(48*time.Hour)), "and after it")
}
