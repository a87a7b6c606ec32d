package reading

// What the log-odds of the networks are worth on authors whom they never saw:
// they are too sure of themselves. Fitted to the readings of authors left out.
const (
	tagTemper      = 0.8
	tagShift       = 0.0
	categoryTemper = 0.8
)

// confidence is the probability that a tag with log-odds x is right.
func confidence(x float32) float64 { return float64(logistic(tagTemper*x + tagShift)) }
