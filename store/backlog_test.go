package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep/push"
	"doorstep/store"
)

func TestABacklogOfAnyLengthIsCountedToItsBound(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		now := h.clock.Now()
		none, err := h.db.Backlog(t.Context(), now)
		require.NoError(t, err)
		require.Equal(t, push.Backlog{}, none)

		// One push that is due for each millisecond of the last 10.1 s, and one
		// that is not due yet.
		require.NoError(t, h.db.InTx(t.Context(), func(tx *store.Tx) error {
			return tx.Exec(`with recursive n(i) as (select -1 union all select i + 1 from n where i < 10100)
insert into push (outlet_no, id, courier_no, kind, device_id, state, opened_at_ms, due_at_ms, content)
select 1, 'p' || i, i, 'digest', '', 'due', 0, cast(? as bigint) - i, '' from n`, now.UnixMilli())
		}))

		got, err := h.db.Backlog(t.Context(), now)
		require.NoError(t, err)
		require.Equal(t, push.Backlog{Gathering: push.MaxBacklog, OldestDue: now.Add(-10100 * time.Millisecond)}, got)
	})
}

func TestABacklogThatCannotBeReadIsAnError(t *testing.T) {
	onEach(t, 0, func(t *testing.T, h *house) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := h.db.Backlog(ctx, h.clock.Now())
		require.ErrorIs(t, err, context.Canceled)
	})
}
