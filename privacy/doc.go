// Package privacy decides what is kept of people, why and for how long; what
// goes when a consumer asks to be forgotten, and what has to wait; and who may
// see who looked. It does no I/O.
package privacy
