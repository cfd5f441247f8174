package limits_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/tenants/limits"
)

// TestNoSecondHasMoreThanItsLimit asks at odd moments, and looks at every second that ends with an admission.
func TestNoSecondHasMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rates, bound := limits.NewMemoryRates(), limits.Bound{Owner: "1", What: "messages", PerSecond: 50}
		type admitted struct {
			at time.Time
			n  int
		}
		var all []admitted
		total := 0
		for i := range 2000 {
			n := 1 + i%3
			if a := rates.Take(t.Context(), n, bound); a.OK {
				all = append(all, admitted{time.Now(), n})
				total += n
			} else if a.RetryAfter <= 0 || a.RetryAfter > time.Second {
				t.Fatalf("come back after %v", a.RetryAfter)
			}
			time.Sleep(time.Duration(1+i*i%13) * time.Millisecond)
		}
		for i := range all {
			sum := 0
			for _, one := range all[:i+1] {
				if all[i].at.Sub(one.at) < time.Second {
					sum += one.n
				}
			}
			if sum > bound.PerSecond {
				t.Fatalf("%d in the second that ends at %v", sum, all[i].at)
			}
		}
		took := all[len(all)-1].at.Sub(all[0].at).Seconds()
		if share := float64(total) / took / float64(bound.PerSecond); share < 0.97 {
			t.Errorf("of what is allowed %.3f was admitted", share)
		}
	})
}

func TestAllBoundsOrNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rates, ctx := limits.NewMemoryRates(), t.Context()
		wide, narrow := limits.Bound{Owner: "1", What: "x", PerSecond: 10}, limits.Bound{Owner: "t", What: "x", PerSecond: 3}
		if a := rates.Take(ctx, 2, wide, narrow); !a.OK || a.Limit != 3 || a.Remaining != 1 {
			t.Errorf("the first: %+v", a)
		}
		time.Sleep(300 * time.Millisecond)
		if a := rates.Take(ctx, 2, wide, narrow); a.OK || a.Limit != 3 || a.Remaining != 1 || a.RetryAfter != 700*time.Millisecond {
			t.Errorf("over the narrow bound: %+v", a)
		}
		if a := rates.Take(ctx, 4, wide, narrow); !a.Never() {
			t.Errorf("more than a second's worth: %+v", a)
		}
		// What was refused took nothing of the wide one.
		if a := rates.Take(ctx, 8, wide); !a.OK || a.Remaining != 0 {
			t.Errorf("the wide bound: %+v", a)
		}
		time.Sleep(700 * time.Millisecond)
		if a := rates.Take(ctx, 2, wide, narrow); !a.OK {
			t.Errorf("when it was told to come back: %+v", a)
		}
		// A limit that falls holds at once, one that rises too.
		narrow.PerSecond = 1
		if a := rates.Take(ctx, 1, narrow); a.OK || a.Remaining != 0 {
			t.Errorf("under a lower limit: %+v", a)
		}
		narrow.PerSecond = 5
		if a := rates.Take(ctx, 3, narrow); !a.OK {
			t.Errorf("under a higher one: %+v", a)
		}
	})
}
