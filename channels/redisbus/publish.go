package redisbus

import (
	"context"
	"crypto/rand"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/channels"
)

// Publish implements [channels.Bus]. It is one round trip for any number of messages, and one command for each, or one in
// all for the messages of an app of which some are kept or in a log. It never asks twice for what Redis may have done.
func (b *Bus) Publish(ctx context.Context, messages ...channels.Message) error {
	if err := ctx.Err(); err != nil {
		return unavailable("publish", err)
	}
	if !b.running.Load() {
		return unavailable("publish", errNotRunning)
	}
	ctx, cancel := context.WithTimeout(ctx, b.cfg.publishTimeout())
	defer cancel()
	began := time.Now()
	var err error
	if app, one := oneApp(messages); one && anyRemembered(messages) {
		err = b.publishRemembered(ctx, app, messages, began)
	} else if one {
		err = b.publishPlain(ctx, messages, began)
	} else {
		err = b.publishMixed(ctx, messages, began)
	}
	b.metrics.call("publish", began, err)
	if err != nil {
		return unavailable("publish", err)
	}
	b.metrics.published.Add(float64(len(messages)))
	return nil
}

// oneApp tells whether all messages are of one app, as those of one caller nearly always are.
func oneApp(messages []channels.Message) (app string, one bool) {
	for i := range messages {
		if messages[i].Topic.App != messages[0].Topic.App {
			return "", false
		}
	}
	if len(messages) == 0 {
		return "", true
	}
	return messages[0].Topic.App, true
}

// remembered tells whether a message needs a script.
func remembered(m *channels.Message) bool { return m.Keep > 0 || m.Log.Kept() }

func anyRemembered(messages []channels.Message) bool {
	for i := range messages {
		if remembered(&messages[i]) {
			return true
		}
	}
	return false
}

func (b *Bus) publishPlain(ctx context.Context, messages []channels.Message, now time.Time) error {
	// Those that Redis refused are sent again, from the first on: what followed it on the same topic was refused as well.
	left := messages
	return b.untilTaken(ctx, func() error {
		commands, err := b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i := range left {
				p.SPublish(ctx, b.names.wire(left[i].Topic), seal(&left[i], now))
			}
			return nil
		})
		if err == nil {
			return nil
		}
		var refused []channels.Message
		for i, c := range commands {
			switch {
			case c.Err() == nil:
			case wasRefused(c.Err()):
				refused = append(refused, left[i])
				err = c.Err()
			default:
				return c.Err()
			}
		}
		left = refused
		return err
	})
}

func (b *Bus) publishRemembered(ctx context.Context, app string, messages []channels.Message, now time.Time) error {
	args := b.bounds(messageArgs * len(messages))
	for i := range messages {
		args = appendMessage(args, &messages[i], now)
	}
	_, err := b.eval(ctx, b.scripts.publish, b.names.app(app), args...)
	return err
}

// bounds begins the arguments of a script that publishes, with room for n more.
func (b *Bus) bounds(n int) []any {
	return append(make([]any, 0, 3+n), b.cfg.KeptBytes, b.cfg.LogBytes, newEpoch())
}

// newEpoch returns the name of an epoch, should a log begin, that none has had before.
func newEpoch() string { return rand.Text()[:16] }

// messageArgs is how many arguments a message is.
const messageArgs = 5

// appendMessage appends a message as send.lua takes it.
func appendMessage(args []any, m *channels.Message, now time.Time) []any {
	args = append(args, m.Topic.Channel, seal(m, now), keepMillis(m.Keep))
	return appendLog(args, m.Log)
}

// appendLog appends a rule: the size, or 0 for no log, and the milliseconds.
func appendLog(args []any, log channels.Log) []any {
	if !log.Kept() {
		return append(args, "0", "0")
	}
	return append(args, strconv.Itoa(log.Size), keepMillis(log.TTL))
}

// keepMillis rounds up, so that what is kept for a moment is not taken for what is not kept.
func keepMillis(d time.Duration) string {
	if d <= 0 {
		return "0"
	}
	return strconv.FormatInt(int64((d+time.Millisecond-1)/time.Millisecond), 10)
}

// publishMixed is for messages of several apps. Nobody needs their order across apps.
func (b *Bus) publishMixed(ctx context.Context, messages []channels.Message, now time.Time) error {
	var plain []channels.Message
	kept := make(map[string][]channels.Message)
	for i := range messages {
		if remembered(&messages[i]) {
			kept[messages[i].Topic.App] = nil
		}
	}
	for i := range messages {
		app := messages[i].Topic.App
		if _, with := kept[app]; with {
			kept[app] = append(kept[app], messages[i])
		} else {
			plain = append(plain, messages[i])
		}
	}
	if len(plain) > 0 {
		if err := b.publishPlain(ctx, plain, now); err != nil {
			return err
		}
	}
	for app, own := range kept {
		if err := b.publishRemembered(ctx, app, own, now); err != nil {
			return err
		}
	}
	return nil
}
