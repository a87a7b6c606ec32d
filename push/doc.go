// Package push brings alerts to couriers' phones: what a push says, when it is
// due, how often it is tried, and what became of it. It knows nothing of the
// rules about parcels.
package push
