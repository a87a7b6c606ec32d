// Package people makes up people of whom the truth is known: consumers with hidden
// wishes, couriers with habits, outlets that answer at a stated speed. All chance
// is drawn in advance, so that the same town can be lived through twice and
// differ only in what its couriers were told. It does no I/O.
package people
