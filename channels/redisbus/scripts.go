package redisbus

import (
	"context"
	"crypto/sha1" //nolint:gosec // Redis names scripts by it.
	_ "embed"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed scripts/lib.lua
	libLua string
	//go:embed scripts/log.lua
	logLua string
	//go:embed scripts/send.lua
	sendLua string
)

var (
	//go:embed scripts/join.lua
	joinLua string
	//go:embed scripts/leave.lua
	leaveLua string
	//go:embed scripts/publish.lua
	publishLua string
	//go:embed scripts/once.lua
	onceLua string
	//go:embed scripts/positions.lua
	positionsLua string
	//go:embed scripts/read.lua
	readLua string
	//go:embed scripts/vacate.lua
	vacateLua string
	//go:embed scripts/occupied.lua
	occupiedLua string
	//go:embed scripts/channels.lua
	channelsLua string
	//go:embed scripts/kept.lua
	keptLua string
	//go:embed scripts/renew.lua
	renewLua string
	//go:embed scripts/drain.lua
	drainLua string
	//go:embed scripts/enlist.lua
	enlistLua string
	//go:embed scripts/bury.lua
	buryLua string
	//go:embed scripts/touch.lua
	touchLua string
	//go:embed scripts/resign.lua
	resignLua string
)

// script is a program that Redis runs in one step.
type script struct{ name, text, sum string }

func newScript(name, text string) *script {
	text = libLua + logLua + text
	sum := sha1.Sum([]byte(text)) //nolint:gosec // as above
	return &script{name, text, hex.EncodeToString(sum[:])}
}

// scripts are all that there are.
type scripts struct {
	join, leave, publish, once, positions, read, vacate, occupied, channels, kept, renew, drain, enlist, bury, touch, resign *script
}

func newScripts() scripts {
	return scripts{
		join: newScript("join", joinLua), leave: newScript("leave", leaveLua), publish: newScript("publish", sendLua+publishLua),
		once: newScript("once", sendLua+onceLua), positions: newScript("positions", positionsLua), read: newScript("read", readLua),
		vacate: newScript("vacate", vacateLua), occupied: newScript("occupied", occupiedLua),
		channels: newScript("channels", channelsLua), kept: newScript("kept", keptLua), renew: newScript("renew", renewLua),
		enlist: newScript("enlist", enlistLua), bury: newScript("bury", buryLua), touch: newScript("touch", touchLua),
		resign: newScript("resign", resignLua), drain: newScript("drain", drainLua),
	}
}

// eval runs a script for the app, or for no app, whose tag is given. It asks again only when Redis has said that it did
// nothing.
func (b *Bus) eval(ctx context.Context, s *script, tag string, args ...any) ([]any, error) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	began := time.Now()
	var reply any
	err := b.untilTaken(ctx, func() error {
		var err error
		reply, err = b.client.EvalSha(ctx, s.sum, []string{tag}, args...).Result()
		if redis.HasErrorPrefix(err, "NOSCRIPT") {
			reply, err = b.client.Eval(ctx, s.text, []string{tag}, args...).Result()
		}
		return err
	})
	b.metrics.call(s.name, began, err)
	if err != nil {
		return nil, unavailable(s.name, err)
	}
	if list, ok := reply.([]any); ok {
		return list, nil
	}
	return []any{reply}, nil
}

// refusals are the answers by which Redis says that it did nothing, but may do it in a moment.
var refusals = [...]string{"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "READONLY", "MASTERDOWN"}

func wasRefused(err error) bool {
	for _, prefix := range refusals {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}

// untilTaken does something again as long as Redis refuses it and there is time.
func (b *Bus) untilTaken(ctx context.Context, do func() error) error {
	const pause = 20 * time.Millisecond
	for {
		err := do()
		if err == nil || !wasRefused(err) {
			return err
		}
		b.reload(ctx)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// The parts of an answer. What is not as a script makes it is zero: it cannot be, unless another version's scripts
// answered, which are others by their sum.

func text(reply []any, i int) string {
	if i >= len(reply) {
		return ""
	}
	switch v := reply[i].(type) {
	case string:
		return v
	case int64:
		return fmt.Sprint(v)
	}
	return ""
}

func number(reply []any, i int) int64 {
	if i >= len(reply) {
		return 0
	}
	n, _ := reply[i].(int64)
	return n
}
