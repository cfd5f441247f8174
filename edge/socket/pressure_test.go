package socket_test

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pealhq/peal/edge/socket"
)

// slowReaders joins n sockets that do not read, each on a channel of its own: slow0, slow1 and so on.
func (e *edge) slowReaders(n int) {
	e.t.Helper()
	for i := range n {
		e.join(fmt.Sprintf("slow%d", i))
	}
}

// TestTotalQueueIsBounded has four clients not read, of which two hold more than half of what may wait for all.
func TestTotalQueueIsBounded(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *socket.Config) {
		cfg.QueueBytes = 64 << 20
		cfg.QueueFrames = 1 << 20
		cfg.TotalQueueBytes = 24 << 20
	})
	fast := e.join()
	e.slowReaders(4)
	frame := strings.Repeat("x", 100<<10)
	deadline := time.Now().Add(20 * time.Second)
	for i := 0; e.metric("peal_shed_disconnects_total") == 0; i++ {
		e.deliverTo("slow0", frame)
		if i%2 == 0 {
			e.deliverTo("slow1", frame)
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody is closed")
		}
		time.Sleep(2 * time.Millisecond)
	}
	time.Sleep(time.Second)
	if n := e.metric("peal_shed_disconnects_total"); n > 2 {
		t.Errorf("%v were closed, and only two hold much", n)
	}
	fast.ping()
}

// TestShortMemory lets the memory run short under clients of which one does not read.
func TestShortMemory(t *testing.T) {
	t.Parallel()
	var used atomic.Uint64 // of a thousand
	e := onLoopback(t, func(cfg *socket.Config) {
		cfg.QueueBytes = 64 << 20
		cfg.QueueFrames = 1 << 20
		cfg.Memory = func() float64 { return float64(used.Load()) / 1000 }
	})
	fast := e.join()
	e.slowReaders(1)
	frame := strings.Repeat("x", 64<<10)
	for range 160 {
		e.deliverTo("slow0", frame)
	}
	used.Store(850)
	e.until("refused", func() bool {
		c := e.connect("/app/key?protocol=7")
		text, err := c.next()
		return err == nil && strings.Contains(text, "4100")
	})
	if n := e.metric("peal_shed_disconnects_total"); n != 0 {
		t.Errorf("%v were closed while there was memory still", n)
	}
	fast.ping()
	used.Store(950)
	e.until("the slow one is closed", func() bool { return e.metric("peal_shed_disconnects_total") == 1 })
	fast.ping()
	used.Store(100)
	e.until("let in again", func() bool {
		c := e.connect("/app/key?protocol=7")
		text, err := c.next()
		return err == nil && strings.Contains(text, "connection_established")
	})
	if math.Round(e.metric("peal_connections")) < 2 {
		t.Error("others were closed too")
	}
}
