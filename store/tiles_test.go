package store_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/evidence"
	"doorstep/store/storetest"
)

// A server that keeps hashes it has read proves every record of a log that grows
// under it, by its own hand or another's, as it is now and as it was.
func TestProofsFollowAGrowingLog(t *testing.T) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		ctx, clock := t.Context(), storetest.NewClock()
		vault := storetest.Vault(t)
		here := newHouse(t, storetest.Open(t, url, vault, clock, 0), clock)
		there := newHouse(t, storetest.Open(t, url, vault, clock, 1), clock)
		here.dispatch(order("SF1", "li", wang))
		log := here.log("west")
		var records []string
		var sizes []int64
		rng := rand.New(rand.NewPCG(1, 2))
		for grower := here; len(records) < 2*evidence.TileWidth+20; {
			facts := make([]evidence.Fact, 1+rng.IntN(90))
			for i := range facts {
				facts[i] = here.fact(log.No, "w")
				records = append(records, facts[i].ID)
			}
			require.NoError(t, grower.db.AddFacts(ctx, facts, nil))
			grower.seal()
			c, err := here.ledger().Checkpoint(ctx, log)
			require.NoError(t, err)
			sizes = append(sizes, c.Size)
			if grower == here {
				grower = there
			} else {
				grower = here
			}
			for _, i := range []int{0, len(records) - 1, rng.IntN(len(records)), rng.IntN(len(records))} {
				p, err := here.ledger().Inclusion(ctx, log, records[i], 0)
				require.NoError(t, err)
				require.Equal(t, c.Size, p.Size)
			}
			_, _, err = here.ledger().Consistency(ctx, log, sizes[rng.IntN(len(sizes))], 0)
			require.NoError(t, err)
		}
		for _, size := range sizes {
			_, err := here.ledger().Inclusion(ctx, log, records[0], size)
			require.NoError(t, err)
			_, _, err = here.ledger().Consistency(ctx, log, size, 0)
			require.NoError(t, err)
		}
	})
}
