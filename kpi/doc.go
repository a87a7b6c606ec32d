// Package kpi counts what happened into the headline figures, and says how each
// is counted. It does no I/O: records come in, counts go out, and a figure is a
// quotient of two counts.
package kpi
