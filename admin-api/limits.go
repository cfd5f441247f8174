package adminapi

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/time/rate"
)

// limits bound how often anybody may try what guesses at passwords or makes accounts. They slow down and never
// lock an account; still, who guesses from many addresses at once can make its owner wait for a turn.
type limits struct {
	loginByIP, loginByAccount, signUpByIP *keyedLimit
	// linkByIP is for tokens of links, mailByIP, mailByAddress, mailByUser and mailByTenant for mails that somebody has sent to others.
	linkByIP, mailByIP, mailByAddress, mailByUser, mailByTenant *keyedLimit
}

func newLimits() limits {
	return limits{
		loginByIP:      newKeyedLimit(rate.Every(3*time.Second), 30),
		loginByAccount: newKeyedLimit(rate.Every(10*time.Second), 10),
		signUpByIP:     newKeyedLimit(rate.Every(time.Minute), 20),
		linkByIP:       newKeyedLimit(rate.Every(3*time.Second), 30),
		mailByIP:       newKeyedLimit(rate.Every(time.Minute), 10),
		mailByAddress:  newKeyedLimit(rate.Every(10*time.Minute), 5),
		mailByUser:     newKeyedLimit(rate.Every(10*time.Minute), 5),
		mailByTenant:   newKeyedLimit(rate.Every(time.Minute), 50),
	}
}

// keyedLimit is a token bucket per key. It forgets keys whose bucket is full again.
type keyedLimit struct {
	every rate.Limit
	burst int

	mu sync.Mutex
	// buckets is guarded by mu.
	buckets map[string]*rate.Limiter
}

// maxBuckets bounds the memory of a keyedLimit.
const maxBuckets = 50_000

func newKeyedLimit(every rate.Limit, burst int) *keyedLimit {
	return &keyedLimit{every: every, burst: burst, buckets: map[string]*rate.Limiter{}}
}

// take takes a token for key, or returns how long it is until there is one.
func (l *keyedLimit) take(key string, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			l.forgetFull(now)
		}
		b = rate.NewLimiter(l.every, l.burst)
		l.buckets[key] = b
	}
	if b.AllowN(now, 1) {
		return 0
	}
	missing := 1 - b.TokensAt(now)
	return time.Duration(missing / float64(l.every) * float64(time.Second))
}

// forgetFull drops the buckets that are as good as new, and all of them when none is: then somebody uses more
// addresses than we can count, and counting some of them helps nobody. Called with mu held.
func (l *keyedLimit) forgetFull(now time.Time) {
	for k, b := range l.buckets {
		if b.TokensAt(now) >= float64(l.burst) {
			delete(l.buckets, k)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}

// tooMany is the answer to who tries too often, with the time to wait in words and as Retry-After.
func tooMany(wait time.Duration) *connect.Error {
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	err := connect.NewError(connect.CodeResourceExhausted, fmt.Errorf("too many attempts; try again in %d seconds", seconds))
	err.Meta().Set("Retry-After", strconv.Itoa(seconds))
	return err
}

// peerIP returns the address that a call came from, or an empty string.
func peerIP(ctx context.Context) string {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return ""
	}
	return addressIP(info.Peer().Addr)
}

// addressIP returns the address of an address with a port, or an empty string.
func addressIP(text string) string {
	addr, err := netip.ParseAddrPort(text)
	if err != nil {
		return ""
	}
	return addr.Addr().Unmap().WithZone("").String()
}

// network returns what an address is counted under: an IPv4 address by itself, an IPv6 one by its /64, as
// that is what one customer of a provider gets at least.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Is4() {
		return ip
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.String()
}
