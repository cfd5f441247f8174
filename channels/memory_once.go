package channels

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"
)

// publishedOnce are the parcels that were published lately. What those of one app may take is bounded, so that none can
// fill the memory of all.
type publishedOnce struct {
	most int // bytes for one app

	mu   sync.Mutex
	apps map[string]*onceApp // guarded by mu
}

// onceApp are the parcels of one app. The mu of publishedOnce guards it.
type onceApp struct {
	bytes   int
	parcels map[string]*list.Element // by key
	oldest  *list.List               // of *publishedParcel, the oldest in front: all are remembered for the same time
}

type publishedParcel struct {
	key, digest string
	answer      []byte
	expires     time.Time
	// out is closed when it is published. Whoever hands it over again meanwhile waits for that.
	out chan struct{}
}

// size is about what it takes in memory.
func (p *publishedParcel) size() int {
	const overhead = 320
	return len(p.key) + len(p.digest) + len(p.answer) + overhead
}

// PublishOnce implements [Bus]. Nothing is locked while messages are delivered.
func (b *MemoryBus) PublishOnce(ctx context.Context, app string, parcels ...Parcel) ([]Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i := range parcels {
		for j := range parcels[i].Messages {
			if of := parcels[i].Messages[j].Topic.App; of != app {
				return nil, fmt.Errorf("publish once: a parcel of app %s has a message of app %s", app, of)
			}
		}
	}
	if deliver, _ := b.route(Topic{App: app}); deliver == nil {
		return nil, ErrUnavailable
	}
	noted, err := b.once.note(app, parcels)
	if err != nil {
		return nil, err
	}
	receipts := make([]Receipt, len(parcels))
	for i := range parcels {
		if noted[i].repeated {
			continue
		}
		b.publish(parcels[i].Messages)
		receipts[i].Answer = parcels[i].Answer
		if noted[i].parcel != nil {
			close(noted[i].parcel.out)
		}
	}
	for i := range parcels {
		if !noted[i].repeated {
			continue
		}
		select {
		case <-noted[i].parcel.out:
			receipts[i] = Receipt{Repeated: true, Answer: noted[i].parcel.answer}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return receipts, nil
}

// notedParcel is a parcel that is remembered now: nil where it has no key. repeated says that it was before.
type notedParcel struct {
	parcel   *publishedParcel
	repeated bool
}

// note remembers those parcels that are new, all or none.
func (o *publishedOnce) note(name string, parcels []Parcel) ([]notedParcel, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	app := o.apps[name]
	if app == nil {
		app = &onceApp{parcels: make(map[string]*list.Element), oldest: list.New()}
	}
	now := time.Now()
	app.expire(now)
	noted, room := make([]notedParcel, len(parcels)), 0
	fresh := make(map[string]*publishedParcel)
	for i, p := range parcels {
		if p.Key == "" {
			continue
		}
		one := fresh[p.Key]
		if e := app.parcels[p.Key]; e != nil {
			one = e.Value.(*publishedParcel) //nolint:forcetypeassert // the list holds nothing else
		}
		if noted[i].repeated = one != nil; !noted[i].repeated {
			one = &publishedParcel{p.Key, p.Digest, p.Answer, now.Add(OnceFor), make(chan struct{})}
			fresh[p.Key] = one
			room += one.size()
		}
		if one.digest != p.Digest {
			return nil, &KeyUsedError{Parcel: i}
		}
		noted[i].parcel = one
	}
	if room > 0 && app.bytes+room > o.most {
		return nil, ErrTooManyKeys
	}
	for _, n := range noted {
		if n.parcel != nil && !n.repeated {
			app.parcels[n.parcel.key] = app.oldest.PushBack(n.parcel)
		}
	}
	if app.bytes += room; room > 0 {
		o.apps[name] = app
	}
	return noted, nil
}

// expire forgets what is too old.
func (a *onceApp) expire(now time.Time) {
	for e := a.oldest.Front(); e != nil; e = a.oldest.Front() {
		p := e.Value.(*publishedParcel) //nolint:forcetypeassert // the list holds nothing else
		if now.Before(p.expires) {
			return
		}
		a.oldest.Remove(e)
		a.bytes -= p.size()
		delete(a.parcels, p.key)
	}
}

// expire forgets what is too old, of all apps.
func (o *publishedOnce) expire() {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	for name, app := range o.apps {
		if app.expire(now); app.oldest.Len() == 0 {
			delete(o.apps, name)
		}
	}
}
