// Package limits admits what apps do: so much in any second, and so much in a day. It says too what each limit does when it is
// hit, which is the table of docs/limits.md.
//
// Start with [Limiter], which asks for an app what the app alone and its tenant's apps together may. [Rates] bound a second; those of
// a single edge are here, those that edges share are in the package redislimits.
package limits
