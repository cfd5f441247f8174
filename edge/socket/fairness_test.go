package socket_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkQuietBesideHot publishes to a channel of two hundred as fast as a millisecond goes by, and to a channel of one
// beside it. However much is queued for the hot channel's sockets, the other's frame waits for one round of its worker: the
// figures are how long that took, publish to receipt.
func BenchmarkQuietBesideHot(b *testing.B) {
	for _, hot := range []bool{false, true} {
		b.Run(fmt.Sprintf("hot=%v", hot), func(b *testing.B) {
			e := onLoopback(b, nil)
			var reading, press sync.WaitGroup
			b.Cleanup(reading.Wait)
			for range 200 {
				c := e.join("hot")
				reading.Go(func() {
					for {
						if _, err := c.next(); err != nil {
							return
						}
					}
				})
				b.Cleanup(func() { _ = c.conn.CloseNow() })
			}
			quiet := e.join("quiet")
			stop := make(chan struct{})
			if hot {
				press.Go(func() { e.publishUntil(stop) })
			}
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				e.deliverTo("quiet", "quiet")
				quiet.want("quiet")
				took = append(took, time.Since(began))
			}
			close(stop)
			press.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
		})
	}
}

// publishUntil publishes to the hot channel, a thousand times a second at most.
func (e *edge) publishUntil(stop <-chan struct{}) {
	frame := strings.Repeat("x", 1024)
	for {
		select {
		case <-stop:
			return
		default:
			e.deliverTo("hot", frame)
			time.Sleep(time.Millisecond)
		}
	}
}
