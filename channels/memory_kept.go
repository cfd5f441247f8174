package channels

import (
	"container/list"
	"sync"
	"time"
)

// keptMessages are the last messages of topics that keep one. What one app may have kept is bounded, so that none can
// fill the memory of all.
type keptMessages struct {
	most int // bytes for one app

	mu   sync.Mutex
	apps map[string]*keptApp // guarded by mu
}

// keptApp is what is kept of one app. The mu of keptMessages guards it.
type keptApp struct {
	bytes    int
	channels map[string]*list.Element
	oldest   *list.List // of *keptMessage, the oldest in front
}

type keptMessage struct {
	channel string
	Kept
}

// size is about what it takes in memory.
func (m *keptMessage) size() int {
	const overhead = 256
	return len(m.Frame) + 2*len(m.channel) + overhead
}

func (k *keptMessages) put(m Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	app := k.apps[m.Topic.App]
	if app == nil {
		app = &keptApp{channels: make(map[string]*list.Element), oldest: list.New()}
		k.apps[m.Topic.App] = app
	}
	if old := app.channels[m.Topic.Channel]; old != nil {
		app.drop(old)
	}
	kept := &keptMessage{m.Topic.Channel, Kept{Frame: m.Frame, Expires: time.Now().Add(m.Keep)}}
	app.channels[m.Topic.Channel] = app.oldest.PushBack(kept)
	app.bytes += kept.size()
	for app.bytes > k.most && app.oldest.Len() > 1 {
		app.drop(app.oldest.Front())
	}
}

func (a *keptApp) drop(e *list.Element) {
	m := a.oldest.Remove(e).(*keptMessage) //nolint:forcetypeassert // the list holds nothing else
	a.bytes -= m.size()
	delete(a.channels, m.channel)
}

func (k *keptMessages) get(topic Topic) Kept {
	k.mu.Lock()
	defer k.mu.Unlock()
	app := k.apps[topic.App]
	if app == nil {
		return Kept{}
	}
	e := app.channels[topic.Channel]
	if e == nil {
		return Kept{}
	}
	m := e.Value.(*keptMessage) //nolint:forcetypeassert // the list holds nothing else
	if !time.Now().Before(m.Expires) {
		app.drop(e)
		return Kept{}
	}
	return m.Kept
}

// expire forgets what is too old. An app's messages need not expire in the order in which they came, because its
// setting may have changed in between.
func (k *keptMessages) expire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	for id, app := range k.apps {
		for e := app.oldest.Front(); e != nil; {
			next := e.Next()
			if m := e.Value.(*keptMessage); !now.Before(m.Expires) { //nolint:forcetypeassert // as above
				app.drop(e)
			}
			e = next
		}
		if app.oldest.Len() == 0 {
			delete(k.apps, id)
		}
	}
}
