package reading

import "sort"

// The log-odds of the networks are not what they are worth on authors whom the
// networks never saw. sureness holds, for some log-odds, the share of right tags
// among those predicted there, as counted on dev, author-b, author-d and author-e
// by networks trained without them (data/README.md); straight lines join them.
var sureness = []struct{ odds, right float64 }{
	{-8, 0}, {-1, 0.27}, {0, 0.4}, {1, 0.51}, {1.3, 0.55}, {1.75, 0.62}, {2.5, 0.75}, {3.5, 0.81}, {4.5, 0.88}, {5.5, 0.95}, {7, 0.96}, {8.5, 0.98}, {10, 0.99},
}

// categoryTemper is what the log-odds of categories are worth on the same rows.
const categoryTemper = 0.85

// confidence is the probability that a tag with log-odds x is right.
func confidence(x float32) float64 {
	odds := float64(x)
	n := sort.Search(len(sureness), func(i int) bool { return sureness[i].odds >= odds })
	switch n {
	case 0:
		return sureness[0].right
	case len(sureness):
		return sureness[n-1].right
	}
	below, above := sureness[n-1], sureness[n]
	return below.right + float64((above.right-below.right)*(odds-below.odds)/(above.odds-below.odds))
}
