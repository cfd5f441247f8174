package httpapi

import (
	"sync"

	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/pusher"
)

// scratch is the room that reading one request needs, kept for another when that one is done: a publish
// allocates what goes out to subscribers and little more. Nothing in it may outlive its request.
type scratch struct {
	signed pusher.SignedRequest
	body   []byte
	events []publish.Event
	infos  []attributes // what each event asks to be told of its channels
	ids    []string     // what each event is published once under; empty where it has none
	names  []string     // the channels of all events, each of which has a part of it
}

// What is larger than usual is left to the garbage collector, so that one large request does not stay in
// memory for good.
const (
	maxKeptBody   = 64 << 10
	maxKeptEvents = 64
	maxKeptNames  = 256
)

// scratches hands out scratch and takes it back. The zero value is ready.
type scratches struct{ pool sync.Pool }

func (p *scratches) get() *scratch {
	if w, ok := p.pool.Get().(*scratch); ok {
		return w
	}
	return &scratch{}
}

// put takes w back and lets go of everything that its request held.
func (p *scratches) put(w *scratch) {
	w.signed.Reset()
	w.body = emptied(w.body, maxKeptBody)
	w.events = emptied(w.events, maxKeptEvents)
	w.infos = emptied(w.infos, maxKeptEvents)
	w.ids = emptied(w.ids, maxKeptEvents)
	w.names = emptied(w.names, maxKeptNames)
	p.pool.Put(w)
}

// emptied returns the room of s without what was in it, or none when it is larger than most.
func emptied[T any](s []T, most int) []T {
	if cap(s) > most {
		return nil
	}
	clear(s)
	return s[:0]
}
