package redislimits_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/internal/testenv"
	"github.com/pealhq/peal/tenants/limits"
	"github.com/pealhq/peal/tenants/redislimits"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// edge is the rates of one edge, and the cable to Redis, which can be pulled.
type edge struct {
	*redislimits.Rates
	client *redis.Client
	pulled atomic.Bool

	mu    sync.Mutex
	conns []net.Conn // guarded by mu
}

var errPulled = errors.New("the cable is pulled")

func (e *edge) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if e.pulled.Load() {
		return nil, errPulled
	}
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err == nil {
		e.mu.Lock()
		e.conns = append(e.conns, c)
		e.mu.Unlock()
	}
	return c, err
}

func (e *edge) pull() {
	e.pulled.Store(true)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.conns {
		_ = c.Close()
	}
}

// cluster returns the rates of so many edges on one Redis. They run until the test ends.
func cluster(t *testing.T, n int) []*edge {
	t.Helper()
	url, prefix := testenv.Redis(t)
	edges := make([]*edge, n)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for i := range edges {
		e := &edge{}
		o, err := redis.ParseURL(url)
		if err != nil {
			t.Fatal(err)
		}
		o.Dialer, o.MaxRetries, o.ContextTimeoutEnabled, o.DialerRetries = e.dial, -1, true, 1
		e.client = redis.NewClient(o)
		e.Rates = redislimits.New(redislimits.Config{
			Client: e.client, Prefix: prefix, Edges: func(context.Context) (int, error) { return n, nil },
		})
		running.Go(func() { _ = e.Run(ctx) })
		edges[i] = e
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
		for _, e := range edges {
			_ = e.client.Close()
		}
	})
	return edges
}

// demand has each edge be asked as fast as this for so long, and returns when each message was admitted, by edge.
func demand(t *testing.T, edges []*edge, bound limits.Bound, perSecond int, length time.Duration) [][]time.Duration {
	t.Helper()
	return demandAll(t, edges, perSecond, length, bound)
}

// demandAll is demand under several bounds.
func demandAll(t *testing.T, edges []*edge, perSecond int, length time.Duration, bounds ...limits.Bound) [][]time.Duration {
	t.Helper()
	const askers = 8
	began := time.Now()
	admitted := make([][]time.Duration, len(edges))
	var mu sync.Mutex
	var all sync.WaitGroup
	for i, e := range edges {
		var asked atomic.Int64
		for range askers {
			all.Go(func() {
				var mine []time.Duration
				for time.Since(began) < length {
					if float64(asked.Load()) > time.Since(began).Seconds()*float64(perSecond) {
						time.Sleep(time.Millisecond)
						continue
					}
					asked.Add(1)
					if e.Take(t.Context(), 1, bounds...).OK {
						mine = append(mine, time.Since(began))
					}
				}
				mu.Lock()
				admitted[i] = append(admitted[i], mine...)
				mu.Unlock()
			})
		}
	}
	all.Wait()
	return admitted
}

// perSlice counts what was admitted in each slice of time, over all edges.
func perSlice(admitted [][]time.Duration, slice, length time.Duration) []int {
	counts := make([]int, length/slice+1)
	for _, one := range admitted {
		for _, at := range one {
			if i := int(at / slice); i < len(counts) {
				counts[i]++
			}
		}
	}
	return counts
}

// TestThreeEdgesKeepOneRate asks three edges for three times the limit in all. What is admitted stays within 5 % of what is
// allowed in each second, and in any that begins at a hundredth of one; and each edge has its part.
func TestThreeEdgesKeepOneRate(t *testing.T) {
	const limit, length = 2000, 5 * time.Second
	edges := cluster(t, 3)
	admitted := demand(t, edges, limits.Bound{Owner: "1", What: "messages", PerSecond: limit}, limit, length)

	for second, n := range perSlice(admitted, time.Second, length)[:5] {
		t.Logf("second %d: admitted/allowed = %d/%d = %.3f", second+1, n, limit, float64(n)/limit)
		if ratio := float64(n) / limit; ratio > 1.05 || ratio < 0.7 {
			t.Errorf("second %d: %.3f of what is allowed", second+1, ratio)
		}
	}
	slices, most, sum := perSlice(admitted, 10*time.Millisecond, length), 0, 0
	for i, n := range slices {
		if sum += n; i >= 100 {
			sum -= slices[i-100]
		}
		most = max(most, sum)
	}
	t.Logf("in the fullest second of all that begin at a hundredth of one: %d/%d = %.3f", most, limit, float64(most)/limit)
	if float64(most) > 1.05*limit {
		t.Errorf("some second had %d", most)
	}
	for i, one := range admitted {
		t.Logf("edge %d had %d", i+1, len(one))
		if len(one) < limit*5/10 {
			t.Errorf("edge %d had only %d of %d", i+1, len(one), limit*5)
		}
	}
}

// TestTwoAppsOfATenantShareItsRate asks two edges for more than each of two apps may, and than they may together.
func TestTwoAppsOfATenantShareItsRate(t *testing.T) {
	const own, together, length = 900, 1200, 4 * time.Second
	edges := cluster(t, 2)
	var all sync.WaitGroup
	admitted := make([][][]time.Duration, 2)
	for i, app := range []string{"1", "2"} {
		all.Go(func() {
			admitted[i] = demandAll(t, edges, 1000, length, limits.Bound{Owner: app, What: "messages", PerSecond: own},
				limits.Bound{Owner: "tenant", What: "messages", PerSecond: together})
		})
	}
	all.Wait()
	one, two := perSlice(admitted[0], time.Second, length), perSlice(admitted[1], time.Second, length)
	for second := range one[:4] {
		t.Logf("second %d: admitted/allowed = %.3f together, %.3f and %.3f alone", second+1, float64(one[second]+two[second])/together,
			float64(one[second])/own, float64(two[second])/own)
		if n := one[second] + two[second]; float64(n) > 1.05*together || n < together/2 {
			t.Errorf("second %d: %d of %d together", second+1, n, together)
		}
		if float64(max(one[second], two[second])) > 1.05*own {
			t.Errorf("second %d: %d and %d of %d alone", second+1, one[second], two[second], own)
		}
	}
}

// TestAnIdleEdgeKeepsNothing has one edge use the rate and fall silent: the other soon has all of it.
func TestAnIdleEdgeKeepsNothing(t *testing.T) {
	edges := cluster(t, 2)
	bound := limits.Bound{Owner: "1", What: "messages", PerSecond: 1000}
	demand(t, edges[:1], bound, 1000, time.Second)
	time.Sleep(1100 * time.Millisecond)
	counts := perSlice(demand(t, edges[1:], bound, 3000, 2*time.Second), time.Second, 2*time.Second)
	for second, n := range counts[:2] {
		t.Logf("second %d: admitted/allowed = %.3f", second+1, float64(n)/1000)
		if n < 800 || n > 1050 {
			t.Errorf("second %d: %d", second+1, n)
		}
	}
	// A single edge that sends evenly, just as fast as it may, is refused next to nothing, also on a busy machine.
	n := len(demand(t, edges[:1], limits.Bound{Owner: "2", What: "messages", PerSecond: 200}, 200, 3*time.Second)[0])
	if n < 540 || n > 620 {
		t.Errorf("of 600 that came evenly %d were admitted", n)
	}
}

// TestALimitThatChanges holds for all edges within a second.
func TestALimitThatChanges(t *testing.T) {
	edges := cluster(t, 2)
	bound := limits.Bound{Owner: "1", What: "messages", PerSecond: 1000}
	demand(t, edges, bound, 1000, time.Second)
	bound.PerSecond = 100
	counts := perSlice(demand(t, edges, bound, 1000, 3*time.Second), time.Second, 3*time.Second)
	t.Logf("after it fell from 1000 to 100: %v", counts)
	if counts[0] > 105 || counts[1] > 105 || counts[1] < 70 || counts[2] > 105 {
		t.Errorf("under the lower limit: %v", counts)
	}
	bound.PerSecond = 500
	counts = perSlice(demand(t, edges, bound, 1000, 2*time.Second), time.Second, 2*time.Second)
	t.Logf("after it rose from 100 to 500: %v", counts)
	if counts[0] < 300 || counts[0] > 525 || counts[1] < 375 || counts[1] > 525 {
		t.Errorf("under the higher limit: %v", counts)
	}
}

// TestRedisAway: each edge keeps to its share, and nobody waits for long.
func TestRedisAway(t *testing.T) {
	edges := cluster(t, 3)
	bound := limits.Bound{Owner: "1", What: "messages", PerSecond: 900}
	demand(t, edges, bound, 900, 500*time.Millisecond)
	for _, e := range edges {
		e.pull()
	}
	began := time.Now()
	edges[0].Take(t.Context(), 1, bound)
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v to answer", took)
	}
	time.Sleep(1100 * time.Millisecond)
	admitted := demand(t, edges, bound, 900, 2*time.Second)
	counts := perSlice(admitted, time.Second, 2*time.Second)
	t.Logf("without Redis: %v of 900", counts[:2])
	for second, n := range counts[:2] {
		if n < 700 || n > 945 {
			t.Errorf("second %d: %d", second+1, n)
		}
	}
	for i, one := range admitted {
		if len(one) > 620 {
			t.Errorf("edge %d had %d in two seconds, its share is 300 in one", i+1, len(one))
		}
	}
	// More than a share, but less than the limit, may come again; a small limit leaves each edge one.
	if a := edges[0].Take(t.Context(), 500, bound); a.OK || a.Never() {
		t.Errorf("500 at once: %+v", a)
	}
	for i, e := range edges {
		if a := e.Take(t.Context(), 1, limits.Bound{Owner: "2", What: "messages", PerSecond: 2}); !a.OK {
			t.Errorf("edge %d of three under a limit of two: %+v", i+1, a)
		}
	}
	for _, e := range edges {
		e.pulled.Store(false)
	}
	time.Sleep(1500 * time.Millisecond)
	counts = perSlice(demand(t, edges[:1], bound, 2000, 2*time.Second), time.Second, 2*time.Second)
	t.Logf("Redis is back, one edge alone: %v of 900", counts[:2])
	if counts[1] < 700 || counts[1] > 945 {
		t.Errorf("with Redis again: %v", counts)
	}
}

// TestSmallLimitsAreExact: small limits have no room for being over.
func TestSmallLimitsAreExact(t *testing.T) {
	edges := cluster(t, 2)
	small, wide := limits.Bound{Owner: "1", What: "messages", PerSecond: 3}, limits.Bound{Owner: "2", What: "messages", PerSecond: 100}
	for i := range 3 {
		if a := edges[i%2].Take(t.Context(), 1, small); !a.OK || a.Limit != 3 || a.Remaining != 2-i {
			t.Errorf("message %d: %+v", i+1, a)
		}
	}
	for i, e := range edges {
		if a := e.Take(t.Context(), 1, wide, small); a.OK || a.Limit != 3 || a.RetryAfter <= 0 || a.RetryAfter > time.Second {
			t.Errorf("one more, at edge %d: %+v", i+1, a)
		}
		if a := e.Take(t.Context(), 4, small); !a.Never() {
			t.Errorf("more than ever: %+v", a)
		}
	}
	// What was refused by one of two bounds is given back to the other.
	time.Sleep(200 * time.Millisecond)
	if a := edges[0].Take(t.Context(), 100, wide); !a.OK {
		t.Errorf("the other bound: %+v", a)
	}
}

// TestWhoWaitsIsServedTogether: as many askers as there may be cost Redis few questions.
func TestWhoWaitsIsServedTogether(t *testing.T) {
	e := cluster(t, 1)[0]
	before := commands(t, e.client)
	n := len(demand(t, []*edge{e}, limits.Bound{Owner: "1", What: "messages", PerSecond: 100_000}, 10_000, 2*time.Second)[0])
	asked := commands(t, e.client) - before
	t.Logf("%d messages cost %d questions", n, asked)
	if asked > n/20 {
		t.Errorf("%d messages cost %d questions", n, asked)
	}
}

// commands returns how many scripts Redis has run.
func commands(t *testing.T, client *redis.Client) int {
	t.Helper()
	stats, err := client.InfoMap(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	line, calls := stats["Commandstats"]["cmdstat_evalsha"], 0
	for _, c := range line[min(len(line), len("calls=")):] {
		if c < '0' || c > '9' {
			break
		}
		calls = calls*10 + int(c-'0')
	}
	return calls
}
