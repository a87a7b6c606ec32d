package evidence_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/evidence"
)

// fakeDesk has one case, without records.
type fakeDesk struct {
	seal  func(ctx context.Context, limit int) (int, bool, error)
	seals int
}

func (d *fakeDesk) OpenCase(context.Context, doorstep.Actor, string, time.Time) (evidence.OpenCase, error) {
	return evidence.OpenCase{Case: lockerCase, Log: evidence.Log{No: 1, Outlet: "west"}}, nil
}

func (d *fakeDesk) AddAccesses(context.Context, []evidence.Fact) error { return nil }

func (d *fakeDesk) Seal(ctx context.Context, _ doorstep.OutletNo, limit int) (int, bool, error) {
	d.seals++
	return d.seal(ctx, limit)
}

func (d *fakeDesk) CaseRecords(context.Context, doorstep.OutletNo, doorstep.Waybill, int64, int) ([]evidence.CaseRecord, error) {
	return nil, nil
}

func opening(t *testing.T, d *fakeDesk) error {
	log := &fakeLog{}
	log.grow()
	clerk := evidence.Clerk{
		Store: d, Ledger: ledger(t, log), Now: func() time.Time { return filed }, NewID: doorstep.MakeID,
		Feeds: func(context.Context, doorstep.CompanyNo, time.Time, time.Time) ([]evidence.Feed, error) {
			return nil, nil
		},
	}
	_, err := clerk.Open(t.Context(), doorstep.Actor{Role: doorstep.RoleHQ}, lockerCase.ComplaintID, evidence.OpenedFile, 0)
	return err
}

func TestAnAnswerWaitsForWhatWasCommittedAndNotForWhatComesBehindIt(t *testing.T) {
	waiting := 1200
	busy := &fakeDesk{seal: func(_ context.Context, limit int) (int, bool, error) {
		n := min(limit, waiting)
		waiting += 3 - n // a busy outlet: three more came meanwhile
		return n, false, nil
	}}
	require.NoError(t, opening(t, busy))
	require.Equal(t, 3, busy.seals)
}

func TestAnAnswerDoesNotWaitLongForItsLog(t *testing.T) {
	for name, seal := range map[string]func(ctx context.Context, limit int) (int, bool, error){
		"another node holds it": func(context.Context, int) (int, bool, error) { return 0, true, nil },
		"the database is slow": func(ctx context.Context, _ int) (int, bool, error) {
			<-ctx.Done()
			return 0, false, ctx.Err()
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			require.ErrorIs(t, opening(t, &fakeDesk{seal: seal}), doorstep.ErrUnavailable, name)
			require.LessOrEqual(t, time.Since(began), 3*time.Second, name)
		})
	}
	broken := errors.New("broken")
	err := opening(t, &fakeDesk{seal: func(context.Context, int) (int, bool, error) { return 0, false, broken }})
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, doorstep.ErrUnavailable)
}
