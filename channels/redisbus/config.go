package redisbus

import (
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/pealhq/peal/channels"
)

// Config is what a [Bus] needs. A zero field means the default named beside it.
type Config struct {
	// URL says where Redis is:
	//
	//	redis://user:password@host:6379/0, rediss:// for TLS, unix:///path/to/socket
	//	redis+sentinel://user:password@host1:26379,host2:26379/name-of-the-master/0
	//	redis+cluster://user:password@host1:6379,host2:6379
	//
	// with rediss+sentinel and rediss+cluster for TLS. Sentinels that ask for a password of their own get what
	// ?sentinel_username= and ?sentinel_password= say.
	URL string
	// TLS is for who needs more of it than the system's certificates; nil otherwise. It counts only with an address
	// that asks for TLS.
	TLS *tls.Config
	// Prefix begins every key ("peal:").
	Prefix string
	// ClusterID tells one platform from another, so that no two use the same keys by mistake. Empty is not checked.
	ClusterID string
	// Node is how this edge is known in the registry. Its id is the process's own for as long as it runs.
	Node Node
	// Load is asked for what changes of it, each time that the lease is renewed; nil where nothing does.
	Load func() Load
	// Drain is called once, when somebody has asked for it by [Bus.AskDrain]; nil where nothing drains. It must not wait.
	Drain func()
	// Notices are what is told of people who come and go.
	Notices channels.Notices
	// KeptBytes bounds what is kept for newcomers of one app's channels (32 MiB); beyond it is forgotten what would expire
	// first.
	KeptBytes int
	// LogBytes bounds what the logs of one app's channels take (64 MiB), and how many channels have one, empty or not: one for
	// each 512 bytes of it. Beyond either is forgotten what would expire first.
	LogBytes int
	// OnceBytes bounds what the keys of one app's parcels take (64 MiB); beyond it parcels with a new key are refused.
	OnceBytes int
	// Readers is how many connections share the topics (4), so that a busy topic delays only some others.
	Readers int
	// Lease is how long Redis remembers an edge that has gone silent (10 s).
	Lease time.Duration
	// Timeout bounds each question to Redis (1 s), and seven tenths of it a publish.
	Timeout time.Duration
	// Logger is for trouble with Redis, and for what was done about it.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Prefix == "" {
		c.Prefix = "peal:"
	}
	if c.KeptBytes == 0 {
		c.KeptBytes = 32 << 20
	}
	if c.LogBytes == 0 {
		c.LogBytes = 64 << 20
	}
	if c.OnceBytes == 0 {
		c.OnceBytes = 64 << 20
	}
	if c.Readers == 0 {
		c.Readers = 4
	}
	if c.Lease == 0 {
		c.Lease = 10 * time.Second
	}
	if c.Timeout == 0 {
		c.Timeout = time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// publishTimeout leaves a publisher, who is to be told within Timeout that Redis is away, time for the rest of the way.
func (c Config) publishTimeout() time.Duration { return c.Timeout * 7 / 10 }

// renewEvery leaves room for two renewals to fail.
func (c Config) renewEvery() time.Duration { return c.Lease * 3 / 10 }

// sweepEvery is how often an edge looks for leases that have run out, and how long past its end it leaves one alone:
// in a Cluster the clocks of two servers may differ by less than that.
func (c Config) sweepEvery() time.Duration { return c.Lease / 10 }

// life is how long after it was sent a script may still be carried out. The caller waits for half of it.
func (c Config) life() time.Duration { return 2 * c.Timeout }
