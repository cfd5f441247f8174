package chaos

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Config says what is run, and how large. [Full] and [Short] are where to start from.
type Config struct {
	// Source is the folder of the module. Binary is the program under test.
	Source, Binary string
	// Previous is the commit that R24 runs beside the current one; empty chooses.
	Previous string
	Rows     []string
	Rounds   int
	// Seed is what rows draw with; 0 is another one each time.
	Seed uint64

	Edges, Sockets int
	// Rate is how many events are published in a second, over Channels channels of each of two apps.
	Rate     float64
	Channels int
	// Publishers is how many there are for each app.
	Publishers int
	// Warmup passes before something breaks, Settle after it was mended.
	Warmup, Settle time.Duration
	// Brief breaks things for less long than the full set does.
	Brief bool
	// Slack multiplies every goal on time, for a slow binary on a shared machine. The invariants know no slack.
	Slack float64
	// Progress is told what goes on; nil for nobody.
	Progress io.Writer
}

// Full is the sizes of the long set.
func Full() Config {
	return Config{
		Rounds: 1, Edges: 2, Sockets: 1000, Rate: 500, Channels: 50, Publishers: 8,
		Warmup: 3 * time.Second, Settle: 8 * time.Second, Slack: 1,
	}
}

// Short is the sizes of the set that runs with the other tests.
func Short() Config {
	return Config{
		Rounds: 1, Edges: 2, Sockets: 64, Rate: 100, Channels: 4, Publishers: 4,
		Warmup: time.Second, Settle: 5 * time.Second, Brief: true, Slack: 3,
	}
}

// Check refuses what cannot be.
func (c Config) Check() error {
	for _, n := range []struct {
		flag             string
		value, low, high int
	}{
		{"rounds", c.Rounds, 1, 100},
		{"edges", c.Edges, 2, 9},
		{"sockets", c.Sockets, 4 * c.Edges, 20_000},
		{"channels", c.Channels, 2, 1000},
		{"publishers", c.Publishers, 1, 64},
		{"rate", int(c.Rate), 1, 10_000},
	} {
		if n.value < n.low || n.value > n.high {
			return fmt.Errorf("--%s must be between %d and %d, not %d", n.flag, n.low, n.high, n.value)
		}
	}
	_, err := choose(c.Rows)
	return err
}

// lasting chooses how long something is broken.
func (c Config) lasting(full, brief time.Duration) time.Duration {
	if c.Brief {
		return brief
	}
	return full
}

func (c Config) say(format string, args ...any) {
	if c.Progress != nil {
		fmt.Fprintln(c.Progress, "chaos: "+fmt.Sprintf(format, args...))
	}
}

// logPrefix begins the names of channels that have a log; the others have none.
const (
	logPrefix   = "log-"
	plainPrefix = "plain-"
)

// channelNames are the channels of a run: every second one has a log.
func (c Config) channelNames() (names []string) {
	for i := range c.Channels {
		prefix := logPrefix
		if i%2 == 1 {
			prefix = plainPrefix
		}
		names = append(names, fmt.Sprintf("%s%d", prefix, i))
	}
	return names
}

func isLogged(name string) bool { return strings.HasPrefix(name, logPrefix) }
