// Package stack starts what a chaos run needs, from the programs of this machine: PostgreSQL, Redis in each of the three
// forms that Peal knows, edges (`peal serve`) with a fault proxy before each of their servers, and a balancer. Everything
// is a process of its own that can be killed and stopped, lives in scratch folders, and ends when the run does, also when
// the run is killed.
//
// It touches no process that it did not start. Start with [Platform].
package stack
