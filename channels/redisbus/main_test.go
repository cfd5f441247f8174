package redisbus

import (
	"log/slog"
	"testing"

	"github.com/pealhq/peal/internal/testenv"
)

func TestMain(m *testing.M) {
	LogTo(slog.New(slog.DiscardHandler)) // Each attempt to reach a Redis that a test has stopped.
	testenv.MainNoLeaks(m)
}
