package publish

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// maxKey is the longest key of a [Parcel], in bytes.
const maxKey = 128

// Parcel is events that are published once, however often they are handed over under its key.
type Parcel struct {
	// Key is what the customer calls it, among all parcels of the app, for [channels.OnceFor]. One without is always
	// published.
	Key    string
	Events []Event
	// Question is what the answer depends on besides the events. Together they are what the key stands for, by whatever
	// door they come; how a request was written down, or signed, is no part of it.
	Question string
	// Answer returns what the customer is told. Whoever hands over the same parcel again gets the first one's. It is asked
	// for once, when nothing speaks against publishing any more, and may look into the channels of the events then.
	Answer func() []byte
}

var errKey = errors.New("it must have from 1 to 128 printable ASCII characters")

// CheckKey tells whether a text may be the key of a [Parcel]. Its error is for people.
func CheckKey(key string) error {
	if key == "" || len(key) > maxKey {
		return errKey
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return errKey
		}
	}
	return nil
}

// PublishOnce publishes, in their order, the parcels that were not published before, or none when an event breaks a rule
// or a key stands for something else. The messages of all of them count, whether or not they are published again: who
// repeats itself without end is to be slowed down, too. The error is an [EventError], a [LimitError], a [QuotaError], a [KeyUsedError],
// [ErrTooManyKeys] or wraps [ErrUnavailable], after which the same parcels may be handed over again and nothing is published twice. The
// events are the caller's again when it returns, the answers are not.
func (p *Publisher) PublishOnce(ctx context.Context, app *tenants.App, parcels ...Parcel) ([]channels.Receipt, error) {
	sealed, messages, events, err := seal(app, parcels)
	if err != nil {
		return nil, p.refused(app, err)
	}
	if err := p.admit(ctx, app, messages, events); err != nil {
		return nil, err
	}
	for i := range sealed {
		sealed[i].Answer = parcels[i].Answer()
	}
	receipts, err := p.bus.PublishOnce(ctx, app.ID, sealed...)
	if err == nil && len(receipts) != len(sealed) {
		err = fmt.Errorf("the bus gave %d receipts for %d parcels", len(receipts), len(sealed))
	}
	if err != nil {
		p.giveBack(app, messages)
	}
	var used *channels.KeyUsedError
	if errors.As(err, &used) {
		p.reject(app, p.keyUsed, usage.Idempotency)
		return nil, &KeyUsedError{Event: firstEvent(parcels, used.Parcel), Key: parcels[used.Parcel].Key}
	}
	if errors.Is(err, channels.ErrTooManyKeys) {
		p.reject(app, p.limited, usage.Idempotency)
		return nil, ErrTooManyKeys
	}
	if err != nil {
		p.reject(app, p.unavailable, usage.Unavailable)
		return nil, fmt.Errorf("publish %d parcels of app %s once: %w: %w", len(parcels), app.ID, ErrUnavailable, err)
	}
	p.giveBack(app, messages-p.countOnce(app, sealed, receipts))
	return receipts, nil
}

// firstEvent returns the place of a parcel's first event among all events.
func firstEvent(parcels []Parcel, parcel int) int {
	n := 0
	for _, p := range parcels[:parcel] {
		n += len(p.Events)
	}
	return n
}

// countOnce counts what was published, and returns how many messages that are.
func (p *Publisher) countOnce(app *tenants.App, parcels []channels.Parcel, receipts []channels.Receipt) (published int) {
	for i, r := range receipts {
		if !r.Repeated {
			published += len(parcels[i].Messages)
		}
	}
	if published == 0 {
		p.repeated.Inc()
		return 0
	}
	p.ok.Inc()
	p.count(app, published)
	return published
}

// seal checks all events and keys, and makes of the parcels what the bus takes.
func seal(app *tenants.App, parcels []Parcel) (sealed []channels.Parcel, messages, events int, err error) {
	var all []Event
	for _, p := range parcels {
		all = append(all, p.Events...)
	}
	if _, err := checkAll(app, all); err != nil {
		return nil, 0, 0, err
	}
	if err := checkKeys(parcels); err != nil {
		return nil, 0, 0, err
	}
	sealed = make([]channels.Parcel, len(parcels))
	for i, p := range parcels {
		s := channels.Parcel{Key: p.Key}
		if p.Key != "" {
			s.Digest = digest(&p)
		}
		for j := range p.Events {
			s.Messages = appendMessages(s.Messages, app, &p.Events[j])
		}
		messages += len(s.Messages)
		sealed[i] = s
	}
	return sealed, messages, len(all), nil
}

// checkKeys refuses keys that are none, and one that two parcels have: of those one would be left out, which nobody can
// want.
func checkKeys(parcels []Parcel) error {
	first := make(map[string]int)
	for i, p := range parcels {
		if p.Key == "" {
			continue
		}
		event := firstEvent(parcels, i)
		if err := CheckKey(p.Key); err != nil {
			return at(event, invalid("id", err.Error()))
		}
		if other, twice := first[p.Key]; twice {
			return at(event, invalid("id", fmt.Sprintf("event %d has the same", other)))
		}
		first[p.Key] = event
	}
	return nil
}

// digest stands for what is in a parcel. Edges of two versions must agree on it.
func digest(p *Parcel) string {
	var text []byte
	add := func(s string) { text = append(binary.AppendUvarint(text, uint64(len(s))), s...) }
	for _, e := range p.Events {
		add(e.Name)
		add(e.Data)
		add(e.Except)
		text = binary.AppendUvarint(text, uint64(len(e.Channels)))
		for _, channel := range e.Channels {
			add(channel)
		}
	}
	add(p.Question)
	sum := sha256.Sum256(text)
	return string(sum[:])
}
