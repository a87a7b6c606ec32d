package doorstep_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
)

func TestRepeatGoesOnWhileThereIsWorkAndRestsAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var at []time.Duration
		var failures int
		results := []struct {
			n   int
			err error
		}{{n: 3}, {n: 1}, {}, {n: 2, err: errors.New("no")}, {}}
		err := doorstep.Repeat(ctx, time.Second, func(context.Context) (int, error) {
			at = append(at, time.Since(began))
			r := results[len(at)-1]
			if len(at) == len(results) {
				cancel()
			}
			return r.n, r.err
		}, func(error) { failures++ })
		require.NoError(t, err)
		require.Equal(t, []time.Duration{0, 0, 0, time.Second, 2 * time.Second}, at)
		require.Equal(t, 1, failures)
	})
}
