package session

import (
	"context"
	"time"
)

// Clients that are told to reconnect do so at once, and subscribe again to all they had. So they are told one after the
// other, drainStep apart, unless that would take longer than drainMost or than half of the time that there is: the
// rest is for those who are slow to go.
const (
	drainStep = 5 * time.Millisecond
	drainMost = 10 * time.Second
)

// Drain calls end for each of these, spread over some time, and for all that are left when ctx ends. It takes a window
// where there is one to come to: so many at a time as its other edges are to take.
func Drain[C any](ctx context.Context, window time.Duration, clients []C, end func(C)) {
	spread := max(min(drainStep*time.Duration(len(clients)), drainMost), window)
	if deadline, ok := ctx.Deadline(); ok {
		spread = min(spread, time.Until(deadline)/2)
	}
	started := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i, c := range clients {
		// By the clock and not by steps, so that a step that takes long does not add to the whole.
		timer.Reset(time.Until(started.Add(spread * time.Duration(i) / time.Duration(len(clients)))))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		end(c)
	}
}
