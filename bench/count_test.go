package bench

import (
	"testing"
	"time"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		seqs []uint32
		want []arrival
	}{
		"in order":         {[]uint32{0, 1, 2}, []arrival{inOrder, inOrder, inOrder}},
		"twice":            {[]uint32{0, 0, 1, 0}, []arrival{inOrder, again, inOrder, again}},
		"late":             {[]uint32{0, 2, 1, 1}, []arrival{inOrder, inOrder, late, again}},
		"the first late":   {[]uint32{3, 0, 2, 1, 0}, []arrival{inOrder, late, late, late, again}},
		"after a long gap": {[]uint32{0, 100, 37, 36, 100}, []arrival{inOrder, inOrder, late, again, again}},
		"far ahead":        {[]uint32{0, 1 << 31, 1<<31 - 1, 0}, []arrival{inOrder, inOrder, late, again}},
	} {
		var o order
		for i, seq := range c.seqs {
			if got := o.see(seq); got != c.want[i] {
				t.Errorf("%s: arrival %d (%d) is %d, want %d", name, i, seq, got, c.want[i])
			}
		}
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	tl := newTally()
	tl.launch(1, 2, 0)
	tl.launch(2, 1, time.Second)
	if tl.deliver(1, time.Millisecond) || tl.underway != 2 {
		t.Errorf("%d under way, want 2", tl.underway)
	}
	if !tl.deliver(2, time.Millisecond) || tl.underway != 1 {
		t.Errorf("%d under way, want 1", tl.underway)
	}
	tl.abandonBefore(time.Second)
	if tl.underway != 0 || tl.deliver(1, time.Hour) || tl.delivered != 3 {
		t.Errorf("%d under way, %d delivered", tl.underway, tl.delivered)
	}
	// What is far out of range is counted at its edge, not dropped.
	if got := tl.latency.TotalCount(); got != 3 || tl.latency.Max() < longest {
		t.Errorf("%d latencies up to %d", got, tl.latency.Max())
	}
	// A message whose place another takes stops being under way.
	tl.launch(5, 1, 0)
	tl.launch(5+flightsKept, 1, 0)
	if tl.underway != 1 || tl.deliver(5, 0) || tl.abandon(5) || !tl.abandon(5+flightsKept) || tl.underway != 0 {
		t.Errorf("%d under way", tl.underway)
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for want, values := range map[float64][]float64{2: {3, 1, 2}, 2.5: {4, 1, 3, 2}, 7: {7}} {
		if got := median(values); got != want {
			t.Errorf("median of %v is %g", values, got)
		}
	}
}
