package main

import (
	"fmt"
	"runtime/debug"
)

type versionCmd struct{}

// Run prints the module's version, the commit it was built from, and Go's.
func (versionCmd) Run(s *streams) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		_, err := fmt.Fprintln(s.Out, "doorstep (built without module information)")
		return err
	}
	commit := "unknown commit"
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			commit = setting.Value
		}
	}
	_, err := fmt.Fprintf(s.Out, "doorstep %s (%s, %s)\n", info.Main.Version, commit, info.GoVersion)
	return err
}
