package main

import (
	"bytes"
	"fmt"
	"os"

	"doorstep/reading"
)

// trainCmd makes the weights that the program is built with.
type trainCmd struct {
	Data string `default:"reading/data" help:"Folder of labelled rows." type:"existingdir"`
	Out  string `default:"reading/weights/reader.bin" help:"File to write." type:"path"`
}

// Run prints how well readers do that never saw an author, then trains on all
// rows and writes the weights. Equal rows give an equal file.
func (c *trainCmd) Run(s *streams) error {
	authors, plain, err := labelled(c.Data)
	if err != nil {
		return err
	}
	pooled, each := reading.CrossValidate(authors, plain, reading.Training{})
	if err := reading.WriteLeftOut(s.Out, each); err != nil {
		return err
	}
	fmt.Fprintln(s.Out)
	if err := pooled.WriteReport(s.Out); err != nil {
		return err
	}
	reader := reading.Train(reading.TrainingRows(authors, plain), reading.Training{})
	var weights bytes.Buffer
	if err := reader.Save(&weights); err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, weights.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write weights: %w", err)
	}
	fmt.Fprintf(s.Out, "\n%s: %d bytes, rows %x\n", c.Out, weights.Len(), reader.Digest())
	return nil
}
