package limits

import "time"

// Window counts what was admitted in the last second, exactly: whatever second one looks at, no more was admitted in it
// than the limit. The zero Window has counted nothing. It is not safe for use by several goroutines at once.
type Window struct {
	spans []windowSpan
	sum   int
}

// windowSpan is what was admitted within a few milliseconds. It counts until a second after the last of it.
type windowSpan struct {
	first, last time.Time
	n           int
}

const (
	windowLength = time.Second
	// windowGrain bounds how many spans there are, and so what a busy app costs.
	windowGrain = 5 * time.Millisecond
)

// Sum returns how much was admitted in the second before now.
func (w *Window) Sum(now time.Time) int {
	old := 0
	for old < len(w.spans) && now.Sub(w.spans[old].last) >= windowLength {
		w.sum -= w.spans[old].n
		old++
	}
	w.spans = append(w.spans[:0], w.spans[old:]...)
	return w.sum
}

// Add notes that n were admitted.
func (w *Window) Add(now time.Time, n int) {
	w.Sum(now)
	w.sum += n
	if last := len(w.spans) - 1; last >= 0 && now.Sub(w.spans[last].first) < windowGrain {
		w.spans[last].n += n
		w.spans[last].last = now
		return
	}
	w.spans = append(w.spans, windowSpan{now, now, n})
}

// Undo takes back that n were admitted last.
func (w *Window) Undo(n int) {
	for i := len(w.spans) - 1; i >= 0 && n > 0; i-- {
		back := min(n, w.spans[i].n)
		w.spans[i].n -= back
		w.sum -= back
		n -= back
	}
}

// Take admits n where no more than limit are in the second that ends now.
func (w *Window) Take(now time.Time, n, limit int) bool {
	if w.Sum(now)+n > limit {
		return false
	}
	w.Add(now, n)
	return true
}

// Wait returns how long it is until n would be admitted, if nobody else takes anything; 0 for what never will be.
func (w *Window) Wait(now time.Time, n, limit int) time.Duration {
	if n > limit {
		return 0
	}
	over := w.Sum(now) + n - limit
	for _, s := range w.spans {
		if over -= s.n; over <= 0 {
			return max(1, windowLength-now.Sub(s.last))
		}
	}
	return 1
}
