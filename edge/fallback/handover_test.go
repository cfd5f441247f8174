package fallback_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"

	"github.com/pealhq/peal/edge/fallback"
)

// prelude is how long the prelude is.
const prelude = 2049

// reader is a client that reads as pusher-js does: what it has read grows in one text, and once that is longer than 256 KiB
// and ends with a line, it drops the stream and opens another.
type reader struct {
	e       *edge
	at      string
	s       *stream
	units   int // of this stream, the prelude included
	opens   int
	reopens int
	frames  []string
}

func (r *reader) read(until func() bool) {
	for !until() {
		line := r.s.line()
		r.units += len(utf16.Encode([]rune(line)))
		switch line[0] {
		case 'o':
			r.opens++
		case 'a':
			var frames []string
			if err := json.Unmarshal([]byte(line[1:]), &frames); err != nil {
				r.e.t.Fatalf("%q: %v", line, err)
			}
			r.frames = append(r.frames, frames...)
		}
		if r.units > 256<<10 {
			// The server has written nothing more: this ends the stream, as far as anybody is concerned.
			if n := r.s.lines.Buffered(); n > 0 {
				r.e.t.Fatalf("%d bytes beyond the end of a long stream", n)
			}
			r.s.drop()
			r.s, r.units = r.e.stream(r.at), prelude
			r.reopens++
		}
	}
}

// TestHandOver sends some megabytes of several alphabets to a client that opens a new stream again and again.
func TestHandOver(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *fallback.Config) { cfg.QueueBytes = 64 << 20 })
	r := &reader{e: e, at: at, s: e.stream(at), units: prelude}
	r.read(func() bool { return len(r.frames) == 1 })
	e.say(at, subscribe("there"))
	r.read(func() bool { return len(r.frames) == 2 })
	r.frames = nil
	filler := []string{strings.Repeat("x", 900), strings.Repeat("ä", 800), strings.Repeat("😀", 700), strings.Repeat(`"\`, 300), strings.Repeat("한", 9000)}
	const frames = 1000
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range frames {
			e.deliver(strconv.Itoa(i) + " " + filler[i%len(filler)])
			if i%20 == 0 {
				time.Sleep(10 * time.Millisecond)
			}
		}
	}()
	r.read(func() bool { return len(r.frames) >= frames })
	<-done
	for i, frame := range r.frames {
		if want := strconv.Itoa(i) + " " + filler[i%len(filler)]; frame != want {
			t.Fatalf("frame %d begins with %.20q", i, frame)
		}
	}
	if r.opens != 1 {
		t.Errorf("%d times open", r.opens)
	}
	if r.reopens < 8 || e.metric("peal_fallback_handovers_total") > float64(r.reopens) {
		t.Errorf("%d other streams", r.reopens)
	}
	e.wantMetric("peal_fallback_sessions_accepted_total", 1)
}

// TestHandOverWaits looks at the moment: nothing comes after the frame with which the stream becomes too long, then all
// of it on the next stream.
func TestHandOverWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := inMemory(t, nil)
		s := e.join(at, "there")
		long := strings.Repeat("😀", 64<<10) // 131,072 units
		for _, frame := range []string{long, long, "1", "2"} {
			e.deliver(frame)
		}
		s.want(messages(long))
		s.want(messages(long))
		time.Sleep(5 * time.Second)
		e.do("POST", at+"/xhr_send", "[]")
		e.deliver("3")
		synctest.Wait()
		s.drop()
		time.Sleep(3 * time.Second)
		again := e.stream(at)
		again.want(messages("1", "2", "3"))
		if s.lines.Buffered() > 0 {
			t.Error("there was more on the old stream")
		}
	})
}

// TestHandOverOneUnitShort stays just below the limit, where pusher-js goes on reading.
func TestHandOverOneUnitShort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		over int
		want []string
	}{
		{0, []string{"0s 1", "0s 2"}},
		{1, []string{"0s 1", "10s 2"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := inMemory(t, nil)
			s := e.stream(at)
			s.want("o\n")
			sofar := prelude + 2 + len(s.line())
			e.say(at, subscribe("there"))
			sofar += len(s.line())
			fill := 256<<10 - sofar - len(messages("1")) + c.over
			e.deliver("1" + strings.Repeat("x", fill))
			began := clock(time.Now())
			got := []string{began.says(s.line()[3:4])}
			e.deliver("2")
			got = append(got, began.says(s.line()[3:4]))
			if !slices.Equal(got, c.want) {
				t.Errorf("%d over: got %q, want %q", c.over, got, c.want)
			}
		})
	}
}

// TestEndDuringHandOver ends a conversation whose client is about to open another stream, or is not.
func TestEndDuringHandOver(t *testing.T) {
	t.Parallel()
	for _, comes := range []bool{true, false} {
		t.Run(fmt.Sprint(comes), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := inMemory(t, func(cfg *fallback.Config) { cfg.HandOver = 5 * time.Second })
				s := e.join(at, "there")
				long := strings.Repeat("x", 256<<10)
				e.deliver(long)
				e.deliver("last")
				s.want(messages(long))
				e.apps.set("key", newApp("1", false))
				e.registry.Recheck(t.Context(), "1")
				if comes {
					s.drop()
					s = e.stream(at)
				}
				s.want(messages("last"))
				s.wantEnd(`c[4003,"Application disabled"]` + "\n")
			})
		})
	}
}
