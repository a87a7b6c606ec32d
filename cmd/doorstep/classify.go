package main

import (
	"os"
	"runtime/debug"

	"doorstep/reading"
)

// classifyGCPercent keeps what lies about small: little lives in the heap, and
// readings leave little behind. GOGC in the environment overrides it.
const classifyGCPercent = 25

// classifyCmd reads complaints: ndjson {id, text} in, ndjson verdicts out.
type classifyCmd struct{}

// Run answers every line that it can and fails at the end if there was one
// that it could not.
func (c *classifyCmd) Run(s *streams) error {
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(classifyGCPercent))
	}
	reader, err := reading.New()
	if err != nil {
		return err
	}
	return reading.Classify(s.In, s.Out, s.Err, reader.Read)
}
