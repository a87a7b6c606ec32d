package photos

// Shown is shown.
var Shown = shown

// Of what is shown.
const (
	ShownSide = shownSide
)
