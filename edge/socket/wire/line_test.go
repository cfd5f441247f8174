//go:build linux

package wire

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Lines keep their order, however they are filled and emptied in turn, and the round visits each connection once for
// all that waits for it.
func TestLinesInARound(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	l := lines{free: none}
	var r round
	conns := make([]*Conn, 40)
	want := make(map[*Conn][]byte)
	for i := range conns {
		conns[i] = &Conn{line: line{first: none}}
	}
	var due []*Conn
	most := 0
	for step := range 20_000 {
		for range rng.IntN(30) {
			c := conns[rng.IntN(len(conns))]
			if c.line.empty() {
				r.add(c)
				due = append(due, c)
			}
			b := byte(step)
			l.add(&c.line, []byte{b}, textFrame)
			want[c] = append(want[c], b)
		}
		for range rng.IntN(30) {
			c := r.next()
			if len(due) == 0 {
				if c != nil {
					t.Fatal("the round has somebody for whom nothing waits")
				}
				break
			}
			if c != due[0] {
				t.Fatal("it is not the turn of this connection")
			}
			due = due[1:]
			var got []byte
			for !c.line.empty() {
				b, _ := l.pop(&c.line)
				got = append(got, b...)
			}
			if !slices.Equal(got, want[c]) {
				t.Fatalf("got %v, want %v", got, want[c])
			}
			delete(want, c)
		}
		waiting := 0
		for _, w := range want {
			waiting += len(w)
		}
		most = max(most, waiting)
	}
	if len(l.places) > most+30 {
		t.Errorf("%d places were made for at most %d that waited", len(l.places), most)
	}
	if len(r.conns) > 4*len(conns) {
		t.Errorf("the round of %d connections has room for %d", len(conns), len(r.conns))
	}
	for c := r.next(); c != nil; c = r.next() {
		for !c.line.empty() {
			l.pop(&c.line)
		}
	}
	for _, p := range l.places {
		if p.bytes != nil {
			t.Fatal("a place that is free holds a frame")
		}
	}
}

func TestLinesGiveBackWhatABurstTook(t *testing.T) {
	t.Parallel()
	l := lines{free: none}
	at := line{first: none}
	for range keepItems + 1 {
		l.add(&at, nil, textFrame)
	}
	for !at.empty() {
		l.pop(&at)
	}
	l.shrink()
	if cap(l.places) != 0 {
		t.Errorf("%d places are kept", cap(l.places))
	}
}
