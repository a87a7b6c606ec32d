package evidence_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
	"doorstep/evidence"
)

// fakeLog is a log and its checkpoints, of which there may be more each time that
// somebody reads.
type fakeLog struct {
	evidence.LedgerStore // what no test here asks
	tree                 evidence.Tree
	signed               *evidence.Checkpoint
	meanwhile            func() // after each reading
}

func (l *fakeLog) grow() { l.tree.Append(tlog.Hash{byte(l.tree.Size)}) }

func (l *fakeLog) read() {
	if l.meanwhile != nil {
		l.meanwhile()
	}
}

func (l *fakeLog) Tree(context.Context, doorstep.OutletNo) (evidence.Tree, error) {
	defer l.read()
	return evidence.Tree{Size: l.tree.Size, Subtrees: append([]tlog.Hash{}, l.tree.Subtrees...)}, nil
}

func (l *fakeLog) Checkpoint(context.Context, doorstep.OutletNo, int64) (evidence.Checkpoint, error) {
	defer l.read()
	if l.signed == nil {
		return evidence.Checkpoint{}, doorstep.NotFound("checkpoint", "")
	}
	return *l.signed, nil
}

func (l *fakeLog) AddCheckpoint(_ context.Context, _ doorstep.OutletNo, c evidence.Checkpoint) (evidence.Checkpoint, error) {
	l.signed = &c
	return c, nil
}

func ledger(t *testing.T, store evidence.LedgerStore) *evidence.Ledger {
	secret, public, err := note.GenerateKey(rand.Reader, "doorstep.example")
	require.NoError(t, err)
	signer, err := note.NewSigner(secret)
	require.NoError(t, err)
	return &evidence.Ledger{Store: store, Keys: evidence.Keys{{Signer: signer, Public: public}}, Now: func() time.Time { return filed }}
}

func TestALogThatIsSignedByAnotherMeanwhileHasNotShrunk(t *testing.T) {
	log := &fakeLog{}
	l := ledger(t, log)
	log.grow()
	_, err := l.Checkpoint(t.Context(), evidence.Log{No: 1})
	require.NoError(t, err)
	other := ledger(t, &fakeLog{})
	log.meanwhile = func() { // it grows, and another node signs that
		log.grow()
		c := evidence.Checkpoint{Size: log.tree.Size, Root: log.tree.Root(), CreatedAt: filed}
		c.Note, err = evidence.SignCheckpoint("doorstep.example/default/west", c.Size, c.Root, other.Keys.Signers()...)
		require.NoError(t, err)
		log.signed = &c
	}
	for range 3 {
		c, err := l.Checkpoint(t.Context(), evidence.Log{No: 1})
		require.NoError(t, err)
		require.LessOrEqual(t, c.Size, log.tree.Size)
	}

	log.meanwhile = nil
	log.tree = evidence.Tree{}
	log.grow()
	_, err = l.Checkpoint(t.Context(), evidence.Log{No: 1})
	require.ErrorContains(t, err, "1 leaves, and a checkpoint of", "one that did shrink is found")
}

// fakeHeads are the heads that a notary covers.
type fakeHeads struct {
	failing bool
	covered int
}

func (h *fakeHeads) GrownLogs(context.Context, time.Time, int) ([]evidence.Log, error) {
	return nil, nil
}

func (h *fakeHeads) OutletTrees(_ context.Context, after doorstep.OutletNo, _ int) ([]evidence.OutletTree, error) {
	if h.failing {
		return nil, errors.New("away")
	}
	h.covered++
	return nil, nil
}

func (h *fakeHeads) CoverHeads(context.Context, doorstep.CompanyNo, []evidence.Head) (int, error) {
	return 0, nil
}

func TestHeadsThatCouldNotBeCoveredAreTriedAgainAtOnce(t *testing.T) {
	heads, now := &fakeHeads{failing: true}, filed
	l := ledger(t, &fakeLog{})
	l.Now = func() time.Time { return now }
	notary := evidence.Notary{Store: heads, Ledger: l, Log: slog.New(slog.DiscardHandler)}
	_, err := notary.Pass(t.Context())
	require.Error(t, err)
	heads.failing = false
	for range 3 {
		_, err = notary.Pass(t.Context())
		require.NoError(t, err)
		now = now.Add(time.Minute)
	}
	require.Equal(t, 1, heads.covered, "and then not before their time")
}
