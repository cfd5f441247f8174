package redisbus

import (
	"sync"
	"time"

	"github.com/pealhq/peal/channels"
)

// joinKey is a subscription of a socket of this edge.
type joinKey struct {
	topic  channels.Topic
	socket string
}

// joined is one that is noted in Redis. It does not change; another takes its place.
type joined struct {
	member *channels.Member
	// maxMembers and maxSubscribers are those of the channels.Arrival.
	maxMembers, maxSubscribers int
	log                        channels.Log
	lease                      *lease
	number                     uint64
}

// debt is a subscription that has to be taken back in Redis, because it is not known whether that was done, or whether it
// was noted at all.
type debt struct {
	lease  *lease
	number uint64
	member *channels.Member
	// due is when paying it is the last word: no script that was given up is carried out after that.
	due time.Time
}

// joins are the subscriptions of this edge's sockets, with what is still to be done about them.
type joins struct {
	wake chan struct{} // of capacity 1; there is something to do

	mu     sync.Mutex
	number uint64              // guarded by mu; of the last join
	all    map[joinKey]*joined // guarded by mu
	stale  []joinKey           // guarded by mu; to be noted under the lease that the edge holds now
	quiet  bool                // guarded by mu; without telling anybody
	debts  map[joinKey]debt    // guarded by mu
	old    []*lease            // guarded by mu; leases to end when nothing is stale any more
}

func (j *joins) init() {
	j.wake = make(chan struct{}, 1)
	j.all, j.debts = make(map[joinKey]*joined), make(map[joinKey]debt)
}

func (j *joins) hurry() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// next returns the number of a new join.
func (j *joins) next() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.number++
	return j.number
}

// noted says that Redis has a subscription. If the lease has changed meanwhile it is to be noted again.
func (j *joins) noted(key joinKey, one *joined, t *tenure) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.all[key] = one
	if !t.holds(one.lease) {
		j.stale = append(j.stale, key)
		j.hurry()
	}
}

// take forgets a subscription, and returns what was known of it: nil if it was none.
func (j *joins) take(key joinKey) *joined {
	j.mu.Lock()
	defer j.mu.Unlock()
	one := j.all[key]
	delete(j.all, key)
	return one
}

// owe notes that a subscription is to be taken back.
func (j *joins) owe(key joinKey, d debt) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.debts[key] = d
	j.hurry()
}

// settled says that a debt is paid.
func (j *joins) settled(key joinKey, d debt) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if now, there := j.debts[key]; there && now.number == d.number {
		delete(j.debts, key)
	}
}

// owed returns the debt of one subscription.
func (j *joins) owed(key joinKey) (debt, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	d, there := j.debts[key]
	return d, there
}

// rejoinAll has all noted again.
func (j *joins) rejoinAll(quiet bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.quiet = quiet
	j.stale = j.stale[:0]
	for key := range j.all {
		j.stale = append(j.stale, key)
	}
	j.hurry()
}

// abandon has a lease end as soon as all is noted under another.
func (j *joins) abandon(l *lease) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.old = append(j.old, l)
}

// abandoned returns the leases that can end now.
func (j *joins) abandoned() []*lease {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.stale) > 0 {
		return nil
	}
	old := j.old
	j.old = nil
	return old
}
