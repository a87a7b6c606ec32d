package main

import (
	"encoding/binary"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"doorstep"
)

// simulatedClock stands still until it is moved.
type simulatedClock struct{ ms atomic.Int64 }

// Now is the time that was set last.
func (c *simulatedClock) Now() time.Time { return time.UnixMilli(c.ms.Load()).UTC() }

func (c *simulatedClock) set(t time.Time) { c.ms.Store(t.UnixMilli()) }

// simulatedIDs makes the same ids in every run: UUIDv7 of the simulated time,
// with a counter where chance would be.
type simulatedIDs struct {
	clock *simulatedClock
	made  atomic.Uint64
}

func (m *simulatedIDs) makeID(outlet doorstep.OutletNo) string {
	return strconv.FormatInt(int64(outlet), 36) + "-" + m.makeUUID().String()
}

func (m *simulatedIDs) makeUUID() (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], uint64(m.clock.ms.Load())<<16)
	binary.BigEndian.PutUint64(id[8:], m.made.Add(1))
	id[6], id[8] = 0x70, 0x80 // version 7, and its variant
	return id
}
