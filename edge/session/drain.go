package session

import (
	"context"
	"slices"
	"time"
)

// Clients that are told to reconnect do so at once, and subscribe again to all they had. So they are told one after the
// other, drainStep apart, unless that would take longer than drainMost or than half of the time that there is: the
// rest is for those who are slow to go.
const (
	drainStep = 5 * time.Millisecond
	drainMost = 10 * time.Second
	// drainBeat is how long at least it is until the next are told.
	drainBeat = 10 * time.Millisecond
)

// Drain calls end for each of these, spread over some time, and for all that are left when ctx ends. It takes a window
// where there is one to come to: so many at a time as its other edges are to take.
func Drain[C any](ctx context.Context, window time.Duration, clients []C, end func(C)) {
	spread := max(min(drainStep*time.Duration(len(clients)), drainMost), window)
	if deadline, ok := ctx.Deadline(); ok {
		spread = min(spread, time.Until(deadline)/2)
	}
	if len(clients) == 0 {
		return
	}
	all, each := int64(len(clients)), int64(1)
	if spread > 0 {
		each = (all*int64(drainBeat) + int64(spread) - 1) / int64(spread)
	}
	beat := time.Duration(int64(spread) * each / all)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for some := range slices.Chunk(clients, int(each)) {
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		// From now on, and not from when it was due: who was held up must not hurry afterwards.
		timer.Reset(beat)
		for _, c := range some {
			end(c)
		}
	}
}
