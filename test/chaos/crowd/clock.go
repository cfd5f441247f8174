package crowd

import "time"

// Clock is the time of a run, the same for all who write something down.
type Clock struct{ began time.Time }

// NewClock starts at zero.
func NewClock() Clock { return Clock{time.Now()} }

// Now is how long the run has lasted.
func (c Clock) Now() time.Duration { return time.Since(c.began) }

// App is an app of the platform under test.
type App struct{ ID, Key, Secret string }
