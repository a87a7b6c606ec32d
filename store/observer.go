package store

import (
	"doorstep/parcels"
	"doorstep/push"
)

// Observer is told, for metrics, what commits of this process did. It must be
// quick and safe for concurrent use.
type Observer interface {
	// Informed tells of alerts whose couriers were seen to know in time.
	Informed(alerts int)
	// NotInformed tells of alerts that ended otherwise.
	NotInformed(reason push.Reason, alerts int)
	// Held tells of pushes that ring nobody (push.HeldBudget), or nobody until
	// quiet hours end (push.HeldQuiet).
	Held(reason string, pushes int)
	// SignedFor tells of a sign-for, a correction or a withdrawal that was kept.
	SignedFor(ground parcels.Ground)
}

// Observe sets who is told. Call it before the database is shared.
func (db *DB) Observe(o Observer) { db.observer = o }

// unobserved is the observer of a database that nobody watches.
type unobserved struct{}

func (unobserved) Informed(int)                 {}
func (unobserved) NotInformed(push.Reason, int) {}
func (unobserved) Held(string, int)             {}
func (unobserved) SignedFor(parcels.Ground)     {}
