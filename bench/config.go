package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pealhq/peal/bench/wire"
)

// Scenario is what is measured.
type Scenario string

// The scenarios.
const (
	Idle     Scenario = "idle"
	Connect  Scenario = "connect"
	Fanout   Scenario = "fanout"
	Channels Scenario = "channels"
	Publish  Scenario = "publish"
	Presence Scenario = "presence"
	Cluster  Scenario = "cluster"
)

// Scenarios lists them in the order in which help shows them.
func Scenarios() []Scenario {
	return []Scenario{Idle, Connect, Fanout, Channels, Publish, Presence, Cluster}
}

// Config says what is measured and how. The zero value of a number asks for the scenario's own default.
type Config struct {
	Scenario Scenario
	// Targets are the servers to compare, in this order in each round; ratios are to the first.
	Targets []Target
	Rounds  int

	// Subscribers is how many sockets hear each channel; in idle and connect, how many there are in all.
	Subscribers int
	// Channels is how many there are.
	Channels int
	// Size is the length of an event's data in bytes.
	Size int
	// Window is how many messages are under way at once in a closed loop.
	Window int
	// Rate is how many messages are due a second in an open loop; 0 is a closed loop.
	Rate float64
	// Publishers is how many HTTP connections publish.
	Publishers int
	// Batch is how many events one request of the publish scenario carries; 1 is no batch.
	Batch int
	// Concurrency is how many sockets are being opened at once.
	Concurrency int
	// Slow is how many sockets besides subscribe to the first channel and never read.
	Slow int
	// Bare leaves the sockets of the idle scenario without a subscription.
	Bare bool

	// Warmup passes before anything is measured, Duration is how long it then lasts; Messages ends it earlier.
	Warmup, Duration time.Duration
	Messages         int
	// Drain is how long what is under way at the end may take to arrive before it counts as lost.
	Drain time.Duration
	// Settle is how long a server is left alone between two rounds, and how long the idle scenario holds its sockets.
	Settle time.Duration

	// AllowRemote lets targets lie on other machines.
	AllowRemote bool
	// Portable carries connections without epoll.
	Portable bool
	// Progress is told of what goes on; nil for nobody. On a terminal its lines replace one another.
	Progress io.Writer
	Terminal bool
}

// The most that may be asked for. They keep a slip of the finger from becoming an attack.
const (
	maxSockets     = 200_000
	maxChannels    = math.MaxUint16
	maxData        = 10 << 10
	maxWindow      = 4096
	maxPublishers  = 4096
	maxBatch       = 10
	maxRate        = 1_000_000
	maxConcurrency = 4096
	maxSlow        = 1000
	maxRounds      = 100
	maxDuration    = time.Hour
)

// InvalidError says which value of a [Config] cannot be, by the name of its flag; the scenario has none.
type InvalidError struct{ Flag, Reason string }

func (e *InvalidError) Error() string {
	if e.Flag == "" {
		return e.Reason
	}
	return "--" + e.Flag + " " + e.Reason
}

// withDefaults fills in what the scenario leaves open.
func (c Config) withDefaults() Config {
	d := defaults(c.Scenario)
	setDefault(&c.Rounds, 1)
	setDefault(&c.Subscribers, d.Subscribers)
	setDefault(&c.Channels, d.Channels)
	setDefault(&c.Size, 128)
	setDefault(&c.Window, d.Window)
	setDefault(&c.Batch, 1)
	setDefault(&c.Concurrency, 64)
	setDefault(&c.Messages, math.MaxUint32)
	setDefault(&c.Warmup, d.Warmup)
	setDefault(&c.Duration, 5*time.Second)
	setDefault(&c.Drain, 5*time.Second)
	setDefault(&c.Settle, d.Settle)
	publishers := min(c.Window, 32)
	if c.Rate > 0 {
		publishers = 16
	}
	setDefault(&c.Publishers, publishers)
	return c
}

func defaults(s Scenario) Config {
	d := Config{Subscribers: 1000, Channels: 1, Window: 16, Warmup: time.Second, Settle: time.Second}
	switch s {
	case Idle:
		d.Subscribers, d.Channels, d.Settle = 10_000, 100, 5*time.Second
	case Connect:
		d.Subscribers, d.Channels = 5000, 100
	case Channels:
		d.Subscribers, d.Channels, d.Window = 2, 2000, 64
	case Publish:
		d.Channels, d.Window = 16, 32
	case Presence:
		d.Subscribers = 300
	case Fanout, Cluster:
	}
	return d
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// check refuses what cannot be, with defaults filled in.
func (c Config) check() error {
	if !slices.Contains(Scenarios(), c.Scenario) {
		return &InvalidError{"", fmt.Sprintf("there is no scenario %q; there are %s", c.Scenario, ScenarioNames())}
	}
	if len(c.Targets) == 0 {
		return &InvalidError{"target", "is missing: name the server as host:port"}
	}
	for _, n := range []struct {
		flag             string
		value, low, high int
	}{
		{"rounds", c.Rounds, 1, maxRounds},
		{"subscribers", c.Subscribers, 1, maxSockets},
		{"channels", c.Channels, 1, maxChannels},
		{"size", c.Size, wire.MinData, maxData},
		{"window", c.Window, 1, maxWindow},
		{"publishers", c.Publishers, 1, maxPublishers},
		{"batch", c.Batch, 1, maxBatch},
		{"concurrency", c.Concurrency, 1, maxConcurrency},
		{"slow", c.Slow, 0, maxSlow},
		{"messages", c.Messages, 1, math.MaxUint32},
	} {
		if n.value < n.low || n.value > n.high {
			return &InvalidError{n.flag, fmt.Sprintf("must be between %d and %d, not %d", n.low, n.high, n.value)}
		}
	}
	if !(c.Rate >= 0 && c.Rate <= maxRate) {
		return &InvalidError{"rate", fmt.Sprintf("must be between 0 and %d a second, not %g", maxRate, c.Rate)}
	}
	if sockets := c.sockets(); sockets > maxSockets {
		return &InvalidError{"subscribers", fmt.Sprintf("times --channels is %d sockets; at most %d are opened", sockets, maxSockets)}
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{
		{"warmup", c.Warmup},
		{"duration", c.Duration},
		{"drain", c.Drain},
		{"settle", c.Settle},
	} {
		if d.value < 0 || d.value > maxDuration {
			return &InvalidError{d.flag, fmt.Sprintf("must be between 0s and %s, not %s", maxDuration, d.value)}
		}
	}
	return c.checkTargets()
}

func (c Config) checkTargets() error {
	names := map[string]bool{}
	for _, t := range c.Targets {
		if names[t.Name] {
			return &InvalidError{"target", fmt.Sprintf("names %q twice", t.Name)}
		}
		names[t.Name] = true
		if c.Scenario == Cluster && !t.SubscribeAt.IsValid() {
			return &InvalidError{"target", fmt.Sprintf("%s needs a second address in the cluster scenario: subscribe=host:port", t.Name)}
		}
	}
	return nil
}

// sockets is how many a scenario opens.
func (c Config) sockets() int {
	switch c.Scenario {
	case Publish:
		return 0
	case Fanout, Channels, Cluster:
		return c.Subscribers * c.Channels
	case Idle, Connect, Presence:
	}
	return c.Subscribers
}

// ScenarioNames joins the names for a message.
func ScenarioNames() string {
	var names []string
	for _, s := range Scenarios() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}
