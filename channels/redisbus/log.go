package redisbus

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// LogTo has what go-redis itself has to say logged here, for debugging: each failed attempt to connect, for one. It says it
// on standard error otherwise. That holds for the whole process, so it is for main to call, once.
func LogTo(logger *slog.Logger) { redis.SetLogger(libraryLog{logger}) }

type libraryLog struct{ to *slog.Logger }

// Printf implements what go-redis calls a logger.
func (l libraryLog) Printf(ctx context.Context, format string, v ...any) {
	l.to.DebugContext(ctx, "from the Redis client", slog.String("text", fmt.Sprintf(format, v...)))
}
