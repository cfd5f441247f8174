package redisbus

import (
	"errors"
	"fmt"

	"github.com/pealhq/peal/channels"
)

// errNotRunning says that Run has not begun or has ended.
var errNotRunning = errors.New("the bus does not run")

// unavailable wraps what went wrong so that callers know that asking again may help.
func unavailable(doing string, err error) error {
	return fmt.Errorf("%s: %w: %w", doing, channels.ErrUnavailable, err)
}
