package main

import "doorstep/reading"

// classifyCmd reads complaints: ndjson {id, text} in, ndjson verdicts out.
type classifyCmd struct{}

// Run answers every line that it can and fails at the end if there was one
// that it could not.
func (c *classifyCmd) Run(s *streams) error {
	reader, err := reading.New()
	if err != nil {
		return err
	}
	return reading.Classify(s.In, s.Out, s.Err, reader.Read)
}
