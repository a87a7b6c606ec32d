// Package backtest replays a carrier's own past in the order in which it
// happened and says what doorstep would have been worth: at each dispatch the
// tags that would have been known by then, at each complaint whether they would
// have come before it. It knows neither files nor databases.
//
// Two parts are kept apart so that nothing can look ahead. A walk goes through
// one consumer's events by their times, with the rules of prefs, and knows only
// what lies behind it. A judge then holds what the walk said against what the
// consumer said later. docs/backtest.md defines every figure.
package backtest
