package tenants

import (
	"errors"
	"fmt"
	"time"
)

// What the cache remembers of questions that gave no app: so that whoever guesses keys does not take the
// database's time, and one that is away is not asked by every socket.

type failure struct {
	until time.Time
	err   error
}

// remembered returns the error of a recent load that found nothing or failed.
func (c *Cache) remembered(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if until, ok := c.unknown[name]; ok && time.Now().Before(until) {
		return fmt.Errorf("app by %s: %w", name, ErrNotFound)
	}
	if f, ok := c.failed[name]; ok && time.Now().Before(f.until) {
		return f.err
	}
	return nil
}

// remember notes why a load gave no app, unless something was dropped since, and returns it with its kind.
func (c *Cache) remember(name string, before uint64, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	notFound := errors.Is(err, ErrNotFound)
	if !notFound {
		err = fmt.Errorf("load app by %s: %w: %w", name, ErrUnavailable, err)
	}
	if c.drops.Load() != before {
		return err
	}
	if len(c.unknown)+len(c.failed) >= c.cfg.Unknown {
		clear(c.unknown)
		clear(c.failed)
	}
	if notFound {
		c.unknown[name] = time.Now().Add(c.cfg.Fresh)
	} else {
		c.failed[name] = failure{until: time.Now().Add(c.cfg.Retry), err: err}
	}
	return err
}

// forget lets what was unknown or failed be asked for at once: a new app or key may be among it.
func (c *Cache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.unknown)
	clear(c.failed)
}
