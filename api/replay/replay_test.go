package replay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/api/replay"
)

func TestWhatAnAttemptMeets(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	answer := &replay.Answer{Status: 201}
	attempt := func(after time.Duration, request byte) replay.Attempt {
		return replay.Attempt{Fingerprint: [32]byte{request}, At: at.Add(after)}
	}
	running := &replay.Entry{Fingerprint: [32]byte{1}, ClaimedAt: at}
	ended := &replay.Entry{Fingerprint: [32]byte{1}, ClaimedAt: at, Answer: answer}

	tests := []struct {
		name   string
		found  *replay.Entry
		a      replay.Attempt
		answer *replay.Answer
		err    error
	}{
		{"nothing", nil, attempt(0, 1), nil, nil},
		{"the answer", ended, attempt(0, 1), answer, nil},
		{"the answer, at the last moment", ended, attempt(replay.Kept-1, 1), answer, nil},
		{"an answer that is too old", ended, attempt(replay.Kept, 1), nil, nil},
		{"another request", ended, attempt(0, 2), nil, replay.ErrReused},
		{"another request that is too old", ended, attempt(replay.Kept, 2), nil, nil},
		{"a run", running, attempt(0, 1), nil, doorstep.ErrConflict},
		{"a run, at the end of its lease", running, attempt(replay.Lease-1, 1), nil, doorstep.ErrConflict},
		{"a run that lost its lease", running, attempt(replay.Lease, 1), nil, nil},
		{"another run", running, attempt(0, 2), nil, replay.ErrReused},
		{"another run that lost its lease", running, attempt(replay.Lease, 2), nil, replay.ErrReused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := replay.Meet(tt.found, tt.a)
			require.ErrorIs(t, err, tt.err)
			require.Same(t, tt.answer, got)
		})
	}
}

func TestAnAttemptLeavesAnEntryThatHasNotEnded(t *testing.T) {
	a := replay.Attempt{Fingerprint: [32]byte{1}, Claim: "c", At: time.Unix(1, 0)}
	require.Equal(t, replay.Entry{Fingerprint: [32]byte{1}, Claim: "c", ClaimedAt: time.Unix(1, 0)}, a.Entry())
}
