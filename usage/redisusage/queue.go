// Package redisusage carries what edges have counted over the Redis that they share, to whoever adds it up. Start with
// [Queue].
//
// Below the tag of no app, {prefix~}, there are
//
//	u:q         stream: the intervals that wait, as JSON
//	u:b         how many bytes wait
//	u:e:<edge>  the last interval of an edge that was put into the stream, for as long as one may be handed over again
//	u:w         the worker whose turn it is
//
// An interval is put in once: an edge that did not get an answer hands it over again, and the number of its last one says
// that it is there. It may be taken out twice, when a worker dies between writing it and taking it off; its store knows.
package redisusage

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/usage"
)

// Config is what a [Queue] needs. A zero field means the default named beside it.
type Config struct {
	// Client is a connection to the Redis that all edges share. Who made it closes it.
	Client redis.UniversalClient
	// Prefix begins every key ("peal:").
	Prefix string
	// MaxBytes bounds what waits (64 MiB). Beyond it edges keep what they have, as far as they can.
	MaxBytes int
}

const (
	// batch is how many intervals are taken at a time, and batchBytes after how much of them no more are.
	batch      = 100
	batchBytes = 1 << 20
	// turn is how long a worker that has died keeps the others from working.
	turn = 15 * time.Second
	// remember is how long it is known which interval of an edge came last.
	remember = 24 * time.Hour
)

// ErrFull says that more waits than may: nobody takes it off.
var ErrFull = errors.New("too much usage waits in redis to be added up")

var (
	//go:embed scripts/put.lua
	putLua string
	//go:embed scripts/next.lua
	nextLua string
	//go:embed scripts/done.lua
	doneLua string
)

// Queue is a [usage.Queue] on Redis. All methods may be called at the same time.
type Queue struct {
	cfg             Config
	tag             string
	worker          string // this process among the workers
	put, next, done *redis.Script
}

var _ usage.Queue = (*Queue)(nil)

// New returns a queue. It has not asked Redis anything yet.
func New(cfg Config) *Queue {
	if cfg.Prefix == "" {
		cfg.Prefix = "peal:"
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 64 << 20
	}
	return &Queue{
		cfg: cfg, tag: "{" + cfg.Prefix + "~}", worker: rand.Text(),
		put: redis.NewScript(putLua), next: redis.NewScript(nextLua), done: redis.NewScript(doneLua),
	}
}

// Write puts intervals of one edge into the queue, oldest first. One that is there, or was, is left out.
func (q *Queue) Write(ctx context.Context, intervals []usage.Interval) error {
	for _, i := range intervals {
		text, err := encode(i)
		if err != nil {
			return fmt.Errorf("write down usage: %w", err)
		}
		taken, err := q.put.Run(ctx, q.cfg.Client, []string{q.tag}, i.Edge, i.Seq, text, q.cfg.MaxBytes, remember.Milliseconds()).Int()
		if err != nil {
			return fmt.Errorf("hand usage to redis: %w", err)
		}
		if taken == 0 {
			return ErrFull
		}
	}
	return nil
}

// Next returns the oldest intervals that wait, if it is this process's turn. What cannot be read is no interval, but is
// among the ids, so that it goes away.
func (q *Queue) Next(ctx context.Context) (usage.Batch, error) {
	reply, err := q.next.Run(ctx, q.cfg.Client, []string{q.tag}, q.worker, turn.Milliseconds(), batch, batchBytes).StringSlice()
	if err != nil {
		return usage.Batch{}, fmt.Errorf("take usage from redis: %w", err)
	}
	var b usage.Batch
	for n := 0; n+1 < len(reply); n += 2 {
		b.IDs = append(b.IDs, reply[n])
		if i, err := decode(reply[n+1]); err == nil {
			b.Intervals = append(b.Intervals, i)
		}
	}
	return b, nil
}

// Done takes a batch off the queue.
func (q *Queue) Done(ctx context.Context, b usage.Batch) error {
	ids := make([]any, len(b.IDs))
	for i, id := range b.IDs {
		ids[i] = id
	}
	if err := q.done.Run(ctx, q.cfg.Client, []string{q.tag}, ids...).Err(); err != nil {
		return fmt.Errorf("take usage off redis: %w", err)
	}
	return nil
}
