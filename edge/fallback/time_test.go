package fallback_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/edge/fallback"
)

// clock tells how much time has passed in a bubble.
type clock time.Time

func (c clock) says(what string) string {
	return fmt.Sprintf("%v %s", time.Since(time.Time(c)).Round(time.Millisecond), strings.TrimSpace(what))
}

// watch reads a stream to its end, and returns what came with the time when it did. answer is called with each line.
func (s *stream) watch(c clock, limit time.Duration, answer func(line string)) []string {
	stop := time.AfterFunc(limit, s.drop)
	defer stop.Stop()
	var got []string
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			if errors.Is(err, io.EOF) {
				got = append(got, c.says("end"))
			}
			return got
		}
		got = append(got, c.says(line))
		if answer != nil {
			answer(line)
		}
	}
}

func TestHeartbeats(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		activity time.Duration
		answers  bool
		want     []string
	}{
		"a silent client": {
			110 * time.Second, false,
			[]string{"25s h", "50s h", "1m15s h", "1m40s h", "2m5s h", "2m20s c[4201,\"Pong reply not received in time\"]", "2m20s end"},
		},
		"a client that answers": {120 * time.Second, true, []string{"25s h", "25s a[]", "50s h", "50s a[]", "1m15s h", "1m15s a[]"}},
		"a short timeout":       {4 * time.Second, true, []string{"4s h", "4s a[]", "8s h", "8s a[]"}},
		"silent, a short timeout": {
			20 * time.Second, false, []string{"20s h", "40s h", "50s c[4201,\"Pong reply not received in time\"]", "50s end"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := inMemory(t, nil)
				app := newApp("1", true)
				app.Limits.ActivityTimeout = c.activity
				e.apps.set("key", app)
				began := clock(time.Now())
				s := e.stream(at)
				s.want("o\n")
				s.line()
				limit := time.Hour
				if c.answers {
					limit = min(99*time.Second, 3*c.activity-time.Second)
				}
				got := s.watch(began, limit, func(line string) {
					if line == "h\n" && c.answers {
						if r := e.do("POST", at+"/xhr_send", "[]"); r.status != 204 {
							t.Errorf("heartbeat: %+v", r)
						}
					}
				})
				if !slices.Equal(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

// TestListenerOnABusyStream never says anything but answers to heartbeats; without those it would be given up, although it
// hears something every second.
func TestListenerOnABusyStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := inMemory(t, nil)
		s := e.join(at, "there")
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Second):
					e.deliver("x")
				}
			}
		}()
		heartbeats := 0
		got := s.watch(clock(time.Now()), time.Hour-30*time.Second, func(line string) {
			if line == "h\n" {
				heartbeats++
				e.do("POST", at+"/xhr_send", "[]")
			}
		})
		close(stop)
		if len(got) < 3500 || heartbeats != 29 {
			t.Errorf("%d lines in an hour, %d heartbeats, at last %q", len(got), heartbeats, got[len(got)-1])
		}
	})
}

func TestPollIsHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := inMemory(t, nil)
		e.poll(at)
		e.poll(at)
		// For much longer than the door takes to read a request, and than a client may be silent.
		for range 20 {
			began := clock(time.Now())
			if got := began.says(e.poll(at)); got != "25s h" {
				t.Fatalf("got %s", got)
			}
			time.Sleep(7 * time.Second)
		}
		time.AfterFunc(3*time.Second, func() {
			if r := e.do("POST", at+"/xhr_send", "[]"); r.status != 204 {
				t.Errorf("heartbeat: %+v", r)
			}
		})
		began := clock(time.Now())
		if got := began.says(e.poll(at)); got != "3s a[]" {
			t.Errorf("got %s", got)
		}
		// One that came between two polls is answered by the next.
		e.do("POST", at+"/xhr_send", "[]")
		if got := e.poll(at); got != "a[]\n" {
			t.Errorf("got %q", got)
		}
	})
}

// TestOrphans leaves conversations alone.
func TestOrphans(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(e *edge){
		"a dropped stream":     func(e *edge) { e.join(at, "there").drop() },
		"a poller that stops":  func(e *edge) { e.poll(at); e.say(at, subscribe("there")); e.poll(at) },
		"no second poll":       func(e *edge) { e.poll(at); e.say(at, subscribe("there")) },
		"one that still sends": func(e *edge) { e.join(at, "there").drop(); time.Sleep(5 * time.Second); e.say(at, subscribe("more")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := inMemory(t, nil)
				start := time.Now()
				begin(e)
				time.Sleep(7900*time.Millisecond - time.Since(start))
				synctest.Wait()
				if e.hub.Subscriptions() == 0 || e.registry.Total() != 1 {
					t.Error("it is gone too early")
				}
				time.Sleep(200 * time.Millisecond)
				synctest.Wait()
				if n := e.hub.Subscriptions(); n != 0 || e.registry.Total() != 0 {
					t.Errorf("it is still there, with %d subscriptions", n)
				}
				e.wantMetric("peal_fallback_sessions", 0)
				e.wantMetric("peal_fallback_orphans_total", 1)
				if r := e.do("POST", at+"/xhr_send", "[]"); r.status != 404 {
					t.Errorf("send: %+v", r)
				}
				if got := e.poll(at); got != "o\n" {
					t.Errorf("who comes back gets %q", got)
				}
			})
		})
	}
}

// TestFetchTheEndLater has a poller that is between two requests when its conversation ends.
func TestFetchTheEndLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := inMemory(t, nil)
		e.poll(at)
		e.say(at, subscribe("there"))
		e.poll(at)
		e.deliver("1")
		e.apps.set("key", newApp("1", false))
		e.registry.Recheck(t.Context(), "1")
		time.Sleep(7 * time.Second)
		if n := e.hub.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions of a conversation that has ended", n)
		}
		if got, want := e.poll(at), messages("1")+`c[4003,"Application disabled"]`+"\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		synctest.Wait()
		e.wantMetric("peal_fallback_sessions", 0)
	})
}

// TestSlowClient does not read what is sent to it.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := inMemory(t, func(cfg *fallback.Config) { cfg.QueueBytes = 64 << 10 })
		healthy := e.join("/app/key/1/healthy", "there")
		s := e.join(at, "there")
		const poller = "/app/key/1/poller"
		e.poll(poller)
		e.poll(poller)
		e.say(poller, subscribe("there"))
		e.poll(poller)
		for i := range 100 {
			frame := fmt.Sprint(i) + strings.Repeat("x", 1<<10)
			e.deliver(frame)
			healthy.want(messages(frame))
		}
		e.wantMetric("peal_fallback_slow_disconnects_total", 2)
		const slow = `c[4100,"The connection does not keep up with what is sent to it"]` + "\n"
		if got := e.poll(poller); got != slow {
			t.Errorf("the poll got %q", got)
		}
		text, err := io.ReadAll(s.lines)
		if err != nil || !strings.HasSuffix(string(text), "\n"+slow) {
			t.Errorf("the stream ended with %q, %v", text[max(0, len(text)-100):], err)
		}
		synctest.Wait()
		e.wantMetric("peal_fallback_backlog_bytes", 0)
	})
}

// TestQueuesTogether has several pollers fall behind, each by less than one may alone.
func TestQueuesTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := inMemory(t, func(cfg *fallback.Config) { cfg.TotalQueueBytes = 100 << 10 })
		const pollers = 5
		for i := range pollers {
			at := fmt.Sprintf("/app/key/1/poller%d", i)
			e.poll(at)
			e.say(at, subscribe("there"))
			e.poll(at)
		}
		for range 100 {
			e.deliver(strings.Repeat("x", 1<<10))
			if queued := e.metric("peal_fallback_backlog_bytes"); queued > 100<<10+pollers<<10 {
				t.Fatalf("%v bytes wait", queued)
			}
		}
		if n := e.metric("peal_fallback_slow_disconnects_total"); n == 0 || n == pollers {
			t.Errorf("%v were closed", n)
		}
	})
}

// TestDeadReader stops reading for good, with its connection open.
func TestDeadReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := inMemory(t, nil)
		e.join(at, "there")
		for range 10 {
			e.deliver(strings.Repeat("x", 10<<10))
		}
		time.Sleep(10*time.Second + 8*time.Second + time.Second) // the write, and then the orphan
		synctest.Wait()
		if n := e.hub.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions", n)
		}
		e.wantMetric("peal_fallback_orphans_total", 1)
		e.wantMetric("peal_fallback_backlog_bytes", 0)
	})
}
