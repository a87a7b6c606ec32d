package store

import (
	"fmt"
	"time"

	"doorstep"
)

// zoneOf is an outlet's time zone.
func zoneOf(outlet doorstep.OutletNo, name string) (*time.Location, error) {
	zone, err := doorstep.LoadZone(name)
	if err != nil {
		return nil, fmt.Errorf("outlet %d: %w", outlet, err)
	}
	return zone, nil
}

// Zone is that of outlets that never said their own.
func (db *DB) Zone() *time.Location {
	zone, err := zoneOf(0, db.timeZone)
	if err != nil {
		return time.UTC // the command line refused it before
	}
	return zone
}
