package wire

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestStampComesBack(t *testing.T) {
	t.Parallel()
	var f Finder
	for range 1000 {
		want := Stamp{
			Run: uint16(rand.Uint32()), Channel: uint16(rand.Uint32()), Stream: uint16(rand.Uint32()), Seq: rand.Uint32(),
			Message: rand.Uint32(), Due: rand.Int64N(math.MaxInt64),
		}
		size := MinData + rand.IntN(200)
		data := want.AppendData(nil, size)
		if len(data) != size {
			t.Fatalf("%d bytes of data, want %d", len(data), size)
		}
		frame := strings.Repeat("x", rand.IntN(3)) + `{"event":"bench","channel":"c","data":"` + string(data) + `"}`
		if got, ok := f.Find([]byte(frame)); !ok || got != want {
			t.Fatalf("%+v, %t; want %+v", got, ok, want)
		}
	}
}

func TestNoStamp(t *testing.T) {
	t.Parallel()
	whole := string(Stamp{}.AppendData(nil, MinData))
	for _, frame := range []string{"", "x", `{"event":"pusher:pong","data":"{}"}`, whole[:stampLen-1], marker, strings.Repeat("~", 200)} {
		for _, at := range []int{0, 5, 1000} {
			f := Finder{at: at}
			if s, ok := f.Find([]byte(frame)); ok {
				t.Errorf("%q holds %+v", frame, s)
			}
		}
	}
}

func BenchmarkFind(b *testing.B) {
	frame := []byte(`{"event":"bench","channel":"c","data":"` + string(Stamp{Seq: 7}.AppendData(nil, 128)) + `"}`)
	var f Finder
	for b.Loop() {
		f.Find(frame)
	}
}
