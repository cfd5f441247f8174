package redisbus

import (
	"context"
	"fmt"
	"time"

	"github.com/pealhq/peal/channels"
)

// PublishOnce implements [channels.Bus]. It is one script, and so one round trip: whoever gets no answer to it may send it
// again, and whichever of the two comes first is published.
func (b *Bus) PublishOnce(ctx context.Context, app string, parcels ...channels.Parcel) ([]channels.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable("publish once", err)
	}
	if !b.running.Load() {
		return nil, unavailable("publish once", errNotRunning)
	}
	args, err := b.onceArgs(app, parcels, time.Now())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, b.cfg.publishTimeout())
	defer cancel()
	reply, err := b.eval(ctx, b.scripts.once, b.names.app(app), args...)
	if err != nil {
		return nil, err
	}
	switch text(reply, 0) {
	case "USED":
		return nil, &channels.KeyUsedError{Parcel: int(number(reply, 1))}
	case "FULL":
		return nil, channels.ErrTooManyKeys
	}
	return b.receipts(parcels, reply), nil
}

func (b *Bus) onceArgs(app string, parcels []channels.Parcel, now time.Time) ([]any, error) {
	args := append(b.bounds(0), b.cfg.OnceBytes, channels.OnceFor.Milliseconds())
	for i := range parcels {
		p := &parcels[i]
		args = append(args, p.Key, p.Digest, p.Answer, len(p.Messages))
		for j := range p.Messages {
			m := &p.Messages[j]
			if m.Topic.App != app {
				return nil, fmt.Errorf("publish once: a parcel of app %s has a message of app %s", app, m.Topic.App)
			}
			args = appendMessage(args, m, now)
		}
	}
	return args, nil
}

// receipts reads what once.lua answers.
func (b *Bus) receipts(parcels []channels.Parcel, reply []any) []channels.Receipt {
	list := make([]channels.Receipt, len(parcels))
	for i := range parcels {
		if number(reply, 1+2*i) == 1 {
			list[i] = channels.Receipt{Repeated: true, Answer: []byte(text(reply, 2+2*i))}
			continue
		}
		list[i].Answer = parcels[i].Answer
		b.metrics.published.Add(float64(len(parcels[i].Messages)))
	}
	return list
}
