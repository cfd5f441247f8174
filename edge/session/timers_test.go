package session

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/tenants"
)

// TestTimersEnd looks at the timers of a conversation and of the counts when both have ended.
func TestTimersEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &Session{registry: NewRegistry(RegistryConfig{})}
		app := &tenants.App{ID: "1", Features: tenants.Features{AuthorizedConnections: true, SubscriptionCount: true}, Limits: tenants.DefaultLimits()}
		s.setApp(app)
		if s.deadline == nil {
			t.Error("the conversation has no deadline")
		}
		s.Close(t.Context())
		s.setApp(app) // A change may still be on its way to it.
		if s.deadline != nil {
			t.Error("the deadline of a conversation that is over still runs")
		}

		bus := channels.NewMemoryBus(channels.MemoryConfig{})
		c := NewCounts(CountsConfig{Bus: bus, Presence: bus, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = c.Run(ctx) }()
		c.Changed(app, "a", 2*manySubscribers)
		if len(c.paused) != 1 {
			t.Error("no count waits")
		}
		cancel()
		synctest.Wait()
		c.Changed(app, "b", 2*manySubscribers)
		if len(c.paused) != 0 {
			t.Errorf("%d counts still wait", len(c.paused))
		}
	})
}
