package doorstep

import (
	"sync"
	"time"
)

var zones sync.Map // by name: loading one reads a file

// LoadZone is time.LoadLocation that remembers.
func LoadZone(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, err
	}
	zones.Store(name, zone)
	return zone, nil
}
