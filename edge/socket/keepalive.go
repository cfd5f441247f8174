package socket

import (
	"sync/atomic"
	"time"
)

// maxPongWait is how long a silent peer may take to answer a ping (Pusher protocol, keep-alive).
const maxPongWait = 30 * time.Second

// keepAlive decides when a silent peer is pinged and when it is given up. Whatever comes from it counts as
// life, not only an answer. It has no timer of its own: who owns it asks next, and asks again when told.
type keepAlive struct {
	silence time.Duration // after which a ping is due
	wait    time.Duration // for a sign of life after the ping
	started time.Time
	seen    atomic.Int64 // nanoseconds after started; of the last sign of life
	// pinged is when the last ping was due, after started; 0 while none is waiting for an answer. It belongs
	// to who calls next.
	pinged time.Duration
}

type action int

const (
	doNothing action = iota
	sendPing
	giveUp
)

// newKeepAlive starts counting now. The silence is the activity timeout that the client was told.
func newKeepAlive(silence time.Duration) *keepAlive {
	return &keepAlive{silence: silence, wait: min(maxPongWait, silence), started: time.Now()}
}

// sign notes a sign of life. It may be called at any time.
func (k *keepAlive) sign() { k.seen.Store(int64(time.Since(k.started))) }

// next tells what is due and after how long to ask again.
func (k *keepAlive) next() (action, time.Duration) {
	now := time.Since(k.started)
	seen := time.Duration(k.seen.Load())
	if k.pinged > 0 && seen < k.pinged {
		if left := k.pinged + k.wait - now; left > 0 {
			return doNothing, left
		}
		return giveUp, k.wait
	}
	k.pinged = 0
	if left := seen + k.silence - now; left > 0 {
		return doNothing, left
	}
	k.pinged = now
	return sendPing, k.wait
}
