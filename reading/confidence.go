package reading

import "sort"

// The log-odds of the networks are not what they are worth on authors whom the
// networks never saw. sureness holds, for some log-odds, the share of right tags
// among those predicted there, as counted on dev, author-b, author-d and author-e
// by networks trained without them (data/README.md); straight lines join them.
var sureness = []struct{ odds, right float64 }{
	{-8, 0}, {-1, 0.25}, {0, 0.37}, {1, 0.5}, {1.6, 0.65}, {2.5, 0.73}, {3.5, 0.8}, {4.2, 0.89}, {5.5, 0.94}, {7, 0.98}, {9, 0.99},
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
