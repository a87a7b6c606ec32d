package complaints

import "doorstep/prefs"

// Lessons is what a complaint teaches that reads so, and whose category a person
// chose ("" = nobody did): tags and weights, for whoever replays complaints
// without filing them.
func Lessons(read Reading, chosen Category) []prefs.Evidence { return lessons(read, chosen) }
