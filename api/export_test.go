package api

// What only other files of the package call, for the tests.
var (
	Admits    = admits
	VerdictOn = itemProblem
)
