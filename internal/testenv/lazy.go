package testenv

import (
	"context"
	"sync"
)

// lazy is a server that starts when it is first asked for.
type lazy[S interface{ stop(context.Context) error }] struct {
	mu      sync.Mutex // guards what follows, and makes the second caller wait for the first one's start
	started bool
	server  S
	err     error // of the start: who asks again gets the same answer, not another attempt
}

func (l *lazy[S]) get(ctx context.Context, start func(context.Context) (S, error)) (S, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.started {
		l.started = true
		l.server, l.err = start(ctx)
	}
	return l.server, l.err
}

func (l *lazy[S]) stop(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.started || l.err != nil {
		return nil
	}
	l.started = false
	return l.server.stop(ctx)
}
