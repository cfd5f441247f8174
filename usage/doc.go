// Package usage counts what apps use. An edge counts with a [Meter], without a lock where messages go; each finished interval
// is handed to a [Sink], and whoever sits behind it adds intervals up to minutes, hours and days. It asks nobody and limits
// nothing: it is told what happened, by those who know.
//
// Start with [Meter]; counts.go says what is counted, reason.go why something can be refused, and tally.go is the counting.
// docs/usage.md says to people what each number means.
package usage
