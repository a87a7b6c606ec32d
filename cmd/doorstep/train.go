package main

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"doorstep/reading"
)

// trainCmd makes the weights that the program is built with.
type trainCmd struct {
	Data string `default:"reading/data" help:"Folder of labelled rows." type:"existingdir"`
	Out  string `default:"reading/weights/reader.bin" help:"File to write." type:"path"`
}

// Run trains on all rows and writes the weights. Equal rows give an equal file.
func (c *trainCmd) Run(s *streams) error {
	authors, plain, err := labelled(c.Data)
	if err != nil {
		return err
	}
	rows := reading.TrainingRows(authors, plain)
	start := time.Now()
	reader := reading.Train(rows, reading.Training{Progress: func(network, epoch int) {
		fmt.Fprintf(s.Out, "network %d, pass %d over %d rows, %v\n", network, epoch, len(rows), time.Since(start).Round(time.Second))
	}})
	var weights bytes.Buffer
	if err := reader.Save(&weights); err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, weights.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write weights: %w", err)
	}
	fmt.Fprintf(s.Out, "%s: %d bytes, rows %x\n", c.Out, weights.Len(), reader.Digest())
	return nil
}
