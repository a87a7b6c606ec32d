package reading

// What the log-odds of the networks are worth on authors whom they never saw:
// they are too sure of themselves. Fitted to readings of author-b and author-d
// by networks that were trained without them.
const (
	tagTemper      = 0.74
	tagShift       = -0.55
	categoryTemper = 0.85
)

// confidence is the probability that a tag with log-odds x is right.
func confidence(x float32) float64 { return float64(logistic(tagTemper*x + tagShift)) }
