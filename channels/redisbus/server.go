package redisbus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// silence is how long a connection may leave what was sent unacknowledged before the kernel gives it up.
const silence = 3 * time.Second

// options reads where Redis is from the address.
func (c Config) options() (*redis.UniversalOptions, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		// The error repeats the address, and with it the password.
		return nil, errors.New("the address of Redis is not a URL: write it as redis://user:password@host:6379/0")
	}
	scheme, kind, _ := strings.Cut(u.Scheme, "+")
	switch kind {
	case "":
		return c.single()
	case "sentinel", "cluster":
	default:
		return nil, fmt.Errorf("the address of Redis begins with %q: use redis, rediss, unix, redis+sentinel or redis+cluster", u.Scheme)
	}
	o := &redis.UniversalOptions{Addrs: strings.Split(u.Host, ","), Username: u.User.Username()}
	o.Password, _ = u.User.Password()
	switch scheme {
	case "redis":
	case "rediss":
		o.TLSConfig = c.tls("")
	default:
		return nil, fmt.Errorf("the address of Redis begins with %q: use redis+%s or rediss+%s", u.Scheme, kind, kind)
	}
	if kind == "cluster" {
		o.IsClusterMode = true
		return o, nil
	}
	master, db, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if master == "" {
		return nil, errors.New("the address of the Sentinels names no master: write redis+sentinel://host:26379/name-of-the-master")
	}
	if db != "" {
		if o.DB, err = strconv.Atoi(db); err != nil {
			return nil, fmt.Errorf("the number of the database in the address of Redis is %q: write a number", db)
		}
	}
	o.MasterName = master
	o.SentinelUsername, o.SentinelPassword = u.Query().Get("sentinel_username"), u.Query().Get("sentinel_password")
	return o, nil
}

// single reads the address of one server, as go-redis does.
func (c Config) single() (*redis.UniversalOptions, error) {
	one, err := redis.ParseURL(c.URL)
	if err != nil {
		return nil, fmt.Errorf("the address of Redis: %w", hideURL(err))
	}
	o := &redis.UniversalOptions{Addrs: []string{one.Addr}, DB: one.DB, Username: one.Username, Password: one.Password}
	if one.TLSConfig != nil {
		o.TLSConfig = c.tls(one.TLSConfig.ServerName)
	}
	return o, nil
}

// hideURL keeps the address, which may hold a password, out of an error.
func hideURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func (c Config) tls(serverName string) *tls.Config {
	t := c.TLS.Clone()
	if t == nil {
		t = &tls.Config{}
	}
	if t.MinVersion == 0 {
		t.MinVersion = tls.VersionTLS12
	}
	if t.ServerName == "" {
		t.ServerName = serverName
	}
	return t
}

// Connect returns a client of its own for what else is kept on the same Redis. It has not connected yet. Whoever asked for it
// closes it.
func Connect(cfg Config) (redis.UniversalClient, error) {
	o, err := cfg.withDefaults().client()
	if err != nil {
		return nil, err
	}
	o.MaxRedirects = 0 // the default: what is asked of a server that has moved on was not done there
	return redis.NewUniversalClient(o), nil
}

// connect returns a client that has not connected yet. It never repeats a command by itself: what failed may have been
// done, and only we know what may be done twice.
func (c Config) connect() (redis.UniversalClient, error) {
	o, err := c.client()
	if err != nil {
		return nil, err
	}
	return redis.NewUniversalClient(o), nil
}

// client says how a client connects.
func (c Config) client() (*redis.UniversalOptions, error) {
	o, err := c.options()
	if err != nil {
		return nil, err
	}
	network := "tcp"
	if len(o.Addrs) == 1 && strings.HasPrefix(o.Addrs[0], "/") {
		network = "unix"
	}
	o.Dialer = dialer(network, o.TLSConfig, c.Timeout)
	o.ClientName = "peal"
	o.Protocol = 2
	o.MaxRetries, o.MaxRedirects = -1, -1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = c.Timeout, c.Timeout, c.Timeout, c.Timeout
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	return o, nil
}

// dialer connects so that a partner that has gone without a word is noticed.
func dialer(network string, t *tls.Config, timeout time.Duration) dialFunc {
	d := &net.Dialer{Timeout: timeout, KeepAlive: silence, Control: noticeSilence}
	return func(ctx context.Context, _, addr string) (net.Conn, error) {
		if t == nil || network == "unix" {
			return d.DialContext(ctx, network, addr)
		}
		return (&tls.Dialer{NetDialer: d, Config: t}).DialContext(ctx, network, addr)
	}
}

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

var errUsed = errors.New("the connection was lost")

// once dials one time and never again. A lost pub/sub connection is replaced by us and not by go-redis, which would do it
// without a word.
func once(dial dialFunc) dialFunc {
	var used atomic.Bool
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if used.Swap(true) {
			return nil, errUsed
		}
		return dial(ctx, network, addr)
	}
}

// isCluster tells whether topics lie on several servers.
func (b *Bus) isCluster() bool {
	_, ok := b.client.(*redis.ClusterClient)
	return ok
}

// serverOf returns the address of the server that holds what belongs to a tag; empty where there is but one.
func (b *Bus) serverOf(ctx context.Context, tag string) (string, error) {
	cluster, ok := b.client.(*redis.ClusterClient)
	if !ok {
		return "", nil
	}
	node, err := cluster.MasterForKey(ctx, tag)
	if err != nil {
		return "", err
	}
	return node.Options().Addr, nil
}

// reload has a Cluster say again which server holds what.
func (b *Bus) reload(ctx context.Context) {
	if cluster, ok := b.client.(*redis.ClusterClient); ok {
		cluster.ReloadState(ctx)
	}
}

// ownClient returns a client for a single connection to the server that holds what belongs to a tag.
func (b *Bus) ownClient(ctx context.Context, tag string) (*redis.Client, error) {
	node, ok := b.client.(*redis.Client)
	if !ok {
		cluster, ok := b.client.(*redis.ClusterClient)
		if !ok {
			return nil, fmt.Errorf("an unknown kind of client: %T", b.client)
		}
		var err error
		if node, err = cluster.MasterForKey(ctx, tag); err != nil {
			return nil, err
		}
	}
	o := *node.Options()
	o.Dialer = once(o.Dialer)
	return redis.NewClient(&o), nil
}
