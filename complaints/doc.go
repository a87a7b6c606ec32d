// Package complaints follows a complaint from filing to closing. It does no
// I/O: callers pass the time in and keep the result.
package complaints
