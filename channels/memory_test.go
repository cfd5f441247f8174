package channels_test

import (
	"context"
	"errors"
	"testing"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/channels/bustest"
)

func TestMemoryBus(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(*testing.T) channels.Bus { return channels.NewMemoryBus(channels.MemoryConfig{}) })
}

func TestMemoryPresence(t *testing.T) {
	t.Parallel()
	bustest.RunPresence(t, func(_ *testing.T, n channels.Notices) bustest.Both {
		return channels.NewMemoryBus(channels.MemoryConfig{Notices: n})
	})
}

func TestMemoryOnce(t *testing.T) {
	t.Parallel()
	bustest.RunOnce(t, func(_ *testing.T, n channels.Notices) bustest.Both {
		return channels.NewMemoryBus(channels.MemoryConfig{Notices: n})
	})
}

func TestMemoryLog(t *testing.T) {
	t.Parallel()
	bustest.RunLog(t, func(_ *testing.T, n channels.Notices) bustest.Both {
		return channels.NewMemoryBus(channels.MemoryConfig{Notices: n})
	})
}

func TestMemoryBusTakesNothingWhileItDoesNotRun(t *testing.T) {
	t.Parallel()
	bus := channels.NewMemoryBus(channels.MemoryConfig{})
	message := channels.Message{Topic: channels.Topic{App: "1", Channel: "c"}}
	if err := bus.Publish(t.Context(), message); !errors.Is(err, channels.ErrUnavailable) {
		t.Errorf("before Run: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := bus.Run(ctx, func(channels.Message) { t.Error("delivered") }); err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := bus.Publish(t.Context(), message); !errors.Is(err, channels.ErrUnavailable) {
		t.Errorf("after Run: %v", err)
	}
}
