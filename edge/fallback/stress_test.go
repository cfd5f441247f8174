package fallback_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pealhq/peal/edge/fallback"
)

// TestComeAndGo has many clients come, subscribe, receive by either way, and leave in every way there is, while frames are
// delivered and apps are rechecked. Nothing may be left behind, and nobody hears what is another app's.
func TestComeAndGo(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *fallback.Config) {
		cfg.Orphan, cfg.CloseTimeout, cfg.QueueBytes, cfg.MaxSessions = 100*time.Millisecond, 300*time.Millisecond, 32<<10, 30
	})
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	var all sync.WaitGroup
	var heard, refused atomic.Int64
	for i := range 40 {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				// Two clients at a time use one name.
				at := fmt.Sprintf("/app/key/%d/s%d", i/2, n)
				visit(ctx, t, e, at, &heard, &refused)
			}
		})
	}
	all.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			e.deliver("frame " + strconv.Itoa(i) + strings.Repeat("x", rand.IntN(2000)))
			time.Sleep(time.Millisecond)
			if i%100 == 0 {
				e.registry.Recheck(ctx, "1")
				for range 40 {
					e.deliver(strings.Repeat("y", 1000)) // Too much at once for some.
				}
			}
		}
	})
	all.Wait()
	t.Logf("%d lines heard, %d refused, %v sessions, %v orphans, %v slow", heard.Load(), refused.Load(),
		e.metric("peal_fallback_sessions_accepted_total"), e.metric("peal_fallback_orphans_total"), e.metric("peal_fallback_slow_disconnects_total"))
	if heard.Load() == 0 {
		t.Error("nobody heard anything")
	}
	e.shutdown()
	e.wantMetric("peal_fallback_backlog_bytes", 0)
	e.wantMetric("peal_fallback_panics_total", 0)
}

// visit is one client's visit.
func visit(ctx context.Context, t *testing.T, e *edge, at string, heard, refused *atomic.Int64) {
	short, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(150))*time.Millisecond)
	defer cancel()
	send := func() {
		if resp, err := e.open(ctx, "POST", at+"/xhr_send", `["{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"there\"}}"]`); err == nil {
			resp.Body.Close()
		}
	}
	if rand.IntN(2) == 0 {
		for range rand.IntN(6) {
			resp, err := e.open(short, "POST", at+"/xhr"+query, "")
			if err != nil {
				return
			}
			count(t, bufio.NewReader(resp.Body), heard, refused)
			resp.Body.Close()
			send()
		}
		return
	}
	resp, err := e.open(short, "POST", at+"/xhr_streaming"+query, "")
	if err != nil {
		return
	}
	defer resp.Body.Close()
	go send() // It may come too late.
	if rand.IntN(4) > 0 {
		count(t, bufio.NewReader(resp.Body), heard, refused)
	} else {
		<-short.Done()
	}
}

// count reads to the end.
func count(t *testing.T, lines *bufio.Reader, heard, refused *atomic.Int64) {
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		switch line[0] {
		case 'a':
			heard.Add(1)
		case 'c':
			refused.Add(1)
		case 'o', 'h':
		default:
			t.Errorf("got %q", line)
		}
	}
}
