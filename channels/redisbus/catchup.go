package redisbus

import (
	"context"
	"encoding/binary"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pealhq/peal/channels"
)

const (
	// checkEvery is how often an edge compares where it is in the logs with where they are. It finds what was missed last on
	// a topic that then went silent, and has Redis remember the logs that somebody listens to.
	checkEvery = 30 * time.Second
	// catchUpBatch is how many topics of an app one question is about, catchUpWorkers how many questions are asked at a time.
	catchUpBatch   = 500
	catchUpWorkers = 8
	catchUpPause   = 100 * time.Millisecond
	// A page of a log is bounded, so that Redis and the other topics are served in between.
	pageMessages = 256
	pageBytes    = 1 << 20
)

// laggards are the topics that have to catch up with their logs.
type laggards struct {
	wake chan struct{} // of capacity 1; there is one

	mu      sync.Mutex
	waiting map[string][]*follow // guarded by mu; by app
	apps    []string             // guarded by mu; in the order in which they take turns
	failed  map[string]struct{}  // guarded by mu; apps of which Redis did not answer the last question

	held atomic.Int64 // bytes that all follows together hold back
}

func (l *laggards) init() {
	l.wake, l.waiting, l.failed = make(chan struct{}, 1), make(map[string][]*follow), make(map[string]struct{})
}

// room tells whether so many bytes more may be held back, and counts them if so.
func (l *laggards) room(n int) bool {
	if l.held.Add(int64(n)) <= maxHeldByAll {
		return true
	}
	l.free(n)
	return false
}

func (l *laggards) free(n int) { l.held.Add(-int64(n)) }

// later is add after a pause, in which nobody waits.
func (l *laggards) later(list []*follow) {
	time.AfterFunc(catchUpPause, func() { l.add(slices.DeleteFunc(list, (*follow).isEnded)...) })
}

// answered notes whether Redis has answered for an app. Once it does for one that was in doubt none is: its server is back, and
// the others of that server need not come one by one.
func (l *laggards) answered(app string, did bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, failed := l.failed[app]
	switch {
	case !did:
		l.failed[app] = struct{}{}
	case failed:
		clear(l.failed)
	}
}

// inDoubt tells whether Redis did not answer for an app when it was asked last.
func (l *laggards) inDoubt(app string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, failed := l.failed[app]
	return failed
}

func (l *laggards) add(list ...*follow) {
	if len(list) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range list {
		app := f.topic.App
		if len(l.waiting[app]) == 0 {
			l.apps = append(l.apps, app)
		}
		l.waiting[app] = append(l.waiting[app], f)
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// some takes some that are of one app.
func (l *laggards) some() []*follow {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.apps) == 0 {
		return nil
	}
	app := l.apps[0]
	l.apps = l.apps[1:]
	list := l.waiting[app]
	n := min(len(list), catchUpBatch)
	if n < len(list) {
		l.waiting[app] = list[n:]
		l.apps = append(l.apps, app)
	} else {
		delete(l.waiting, app)
	}
	return list[:n:n]
}

// catchUp brings topics up to their logs, and looks now and then whether all are.
func (b *Bus) catchUp(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	var workers sync.WaitGroup
	defer workers.Wait()
	// Those for which a server did not answer wait for half of the workers at most; the others' servers may be well.
	turns, doubtful := make(chan struct{}, catchUpWorkers), make(chan struct{}, catchUpWorkers/2)
	for {
		select {
		case <-b.laggards.wake:
		case <-tick.C:
			b.laggards.add(b.followed()...)
		case <-ctx.Done():
			return
		}
		for list := b.laggards.some(); list != nil; list = b.laggards.some() {
			release := func() { <-turns }
			if b.laggards.inDoubt(list[0].topic.App) {
				select {
				case doubtful <- struct{}{}:
					release = func() { <-turns; <-doubtful }
				default:
					b.laggards.later(list)
					continue
				}
			}
			select {
			case turns <- struct{}{}:
			case <-ctx.Done():
				return
			}
			workers.Go(func() {
				defer release()
				b.catchUpSome(ctx, list)
			})
		}
	}
}

// followed takes all topics that follow a log and are in nobody's hands.
func (b *Bus) followed() []*follow {
	var list []*follow
	b.mu.Lock()
	for _, in := range b.interests {
		if f := in.follow.Load(); f != nil {
			list = append(list, f)
		}
	}
	b.mu.Unlock()
	return slices.DeleteFunc(list, func(f *follow) bool { return !f.claim() })
}

// claim takes a follow into the hands of who asks.
func (f *follow) claim() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.queued || f.ended {
		return false
	}
	f.queued = true
	return true
}

func (f *follow) isEnded() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended
}

// catchUpSome brings topics of one app up to their logs. Those with which it does not come to an end take another turn.
func (b *Bus) catchUpSome(ctx context.Context, list []*follow) {
	app := list[0].topic.App
	logs, err := b.positions(ctx, list)
	b.laggards.answered(app, err == nil)
	if err != nil {
		b.laggards.later(list)
		return
	}
	var again []*follow
	var lost []string
	for i, f := range list {
		if f.compare(&logs[i]) {
			continue
		}
		current, told, err := b.readOn(ctx, f)
		if err != nil {
			b.laggards.answered(app, false)
			b.laggards.later(list[i:])
			break
		}
		if told {
			lost = append(lost, f.topic.Channel)
		}
		if !current {
			again = append(again, f)
		}
	}
	if len(lost) > 0 {
		b.cfg.Logger.WarnContext(ctx, "channels may have missed messages that their logs do not hold any more",
			slog.String("app", app), slog.Int("channels", len(lost)), slog.String("one", lost[0]))
	}
	b.laggards.add(again...)
}

// position is how far a log has come, and its rule.
type position struct {
	mark
	rule channels.Log
}

// positions returns how far the logs of topics of one app have come. Those that should be there but are not begin.
func (b *Bus) positions(ctx context.Context, list []*follow) ([]position, error) {
	const fields = 5
	args := []any{b.cfg.LogBytes, newEpoch()}
	for _, f := range list {
		f.mu.Lock()
		args = appendLog(append(args, f.topic.Channel), f.log)
		f.mu.Unlock()
	}
	reply, err := b.eval(ctx, b.scripts.positions, b.names.app(list[0].topic.App), args...)
	if err != nil {
		return nil, err
	}
	logs := make([]position, len(list))
	for i := range logs {
		at := i * fields
		logs[i] = position{
			mark{text(reply, at), uint64(number(reply, at+1)), uint64(number(reply, at+2))}, //nolint:gosec // They count from 0.
			channels.Log{Size: int(number(reply, at+3)), TTL: time.Duration(number(reply, at+4)) * time.Millisecond},
		}
	}
	return logs, nil
}

// page is a part of a log.
type page struct {
	epoch      string
	top, first uint64
	letters    []letter
}

// readOn reads on in a log by a page, and delivers it.
func (b *Bus) readOn(ctx context.Context, f *follow) (current, lost bool, err error) {
	w := f.wants()
	reply, err := b.eval(ctx, b.scripts.read, b.names.app(f.topic.App),
		f.topic.Channel, w.epoch, w.offset, w.stamp, w.seen, newEpoch(), pageMessages, pageBytes)
	if err != nil {
		return false, false, err
	}
	const head = 3
	p := &page{epoch: text(reply, 0), top: uint64(number(reply, 1)), first: uint64(number(reply, 2))} //nolint:gosec // as above
	for i := head; i < len(reply); i++ {
		l := b.openElement(text(reply, i))
		l.Topic = f.topic
		l.Position = channels.Position{Epoch: p.epoch, Offset: p.first + uint64(i-head)}
		p.letters = append(p.letters, l)
	}
	current, lost = f.merge(w, p)
	return current, lost, nil
}

// openElement reads what a log has of a message. What another version wrote and we cannot read has a place all the same.
func (b *Bus) openElement(element string) letter {
	const stampLength = 8
	if len(element) < stampLength {
		return letter{unreadable: true}
	}
	l, err := open(element[stampLength:])
	if err != nil {
		l = letter{unreadable: true}
	}
	l.stamp = binary.BigEndian.Uint64([]byte(element[:stampLength]))
	return l
}
