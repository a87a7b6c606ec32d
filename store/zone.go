package store

import (
	"fmt"
	"sync"
	"time"

	"doorstep"
)

var zones sync.Map // by name: loading one reads a file

// zoneOf is an outlet's time zone.
func zoneOf(outlet doorstep.OutletNo, name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("outlet %d: %w", outlet, err)
	}
	zones.Store(name, zone)
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
