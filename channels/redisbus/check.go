package redisbus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	minVersion = 7
	// maxSkew is by how much our clock may differ from Redis's before an operator is told.
	maxSkew = 5 * time.Second
)

// Check tells whether the server is one that the bus can work with. The error says in a sentence what to do; it wraps
// [channels.ErrUnavailable] when that is only to wait. Warnings are sentences, too.
//
// It notes whose keys these are, where nobody has done so; [Bus.Examine] does not.
func (b *Bus) Check(ctx context.Context) (warnings []string, err error) {
	return b.check(ctx, true)
}

// Examine is Check for somebody who only wants to know, and leaves no trace.
func (b *Bus) Examine(ctx context.Context) (warnings []string, err error) {
	return b.check(ctx, false)
}

func (b *Bus) check(ctx context.Context, claim bool) (warnings []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*b.cfg.Timeout)
	defer cancel()
	if err := b.untilTaken(ctx, func() error { return b.client.Ping(ctx).Err() }); err != nil {
		return nil, b.explain(err)
	}
	if err := b.checkVersion(ctx); err != nil {
		return nil, err
	}
	if err := b.checkCluster(ctx, claim); err != nil {
		return nil, err
	}
	return b.warnings(ctx), nil
}

// explain says what to do about a server that does not answer as it should.
func (b *Bus) explain(err error) error {
	var dns *net.DNSError
	switch {
	case redis.HasErrorPrefix(err, "WRONGPASS"), strings.Contains(err.Error(), "invalid password"):
		return errors.New("redis refuses the user or the password: correct them in the address")
	case redis.HasErrorPrefix(err, "NOAUTH"), redis.HasErrorPrefix(err, "ERR AUTH"):
		return errors.New("redis wants a password: add it to the address, as in redis://user:password@host:6379")
	case redis.HasErrorPrefix(err, "NOPERM"):
		return fmt.Errorf("the user of Redis may not do what the bus needs; give it all commands, the keys ~{%s* and the "+
			"channels &{%s*: %w", b.cfg.Prefix, b.cfg.Prefix, err)
	case strings.Contains(err.Error(), "cluster support disabled"):
		return errors.New("this Redis is no Cluster: write its address with redis:// and without +cluster")
	case strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "x509: "):
		return fmt.Errorf("redis does not speak TLS as expected; write redis:// if it is without, or give its certificate: %w", err)
	case errors.As(err, &dns):
		return unavailable("find Redis, check the host in its address", err)
	default:
		return unavailable("reach Redis, check its address and that it runs", err)
	}
}

func (b *Bus) checkVersion(ctx context.Context) error {
	info, err := b.client.Info(ctx, "server", "cluster").Result()
	if err != nil {
		return b.explain(err)
	}
	version := infoField(info, "redis_version")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < minVersion {
		return fmt.Errorf("this is Redis %s: the bus needs %d.0 or later", version, minVersion)
	}
	if infoField(info, "cluster_enabled") == "1" && !b.isCluster() {
		return errors.New("this Redis is part of a Cluster: write its address with redis+cluster://")
	}
	return nil
}

// checkCluster sees to it that nobody else uses our keys.
func (b *Bus) checkCluster(ctx context.Context, claim bool) error {
	if b.cfg.ClusterID == "" {
		return nil
	}
	key := b.names.none() + "meta"
	if claim {
		if err := b.client.HSetNX(ctx, key, "cluster", b.cfg.ClusterID).Err(); err != nil {
			return b.explain(err)
		}
	}
	owner, err := b.client.HGet(ctx, key, "cluster").Result()
	if errors.Is(err, redis.Nil) && !claim {
		return nil
	}
	if err != nil {
		return b.explain(err)
	}
	if owner != b.cfg.ClusterID {
		return fmt.Errorf("another platform (%s; this one is %s) uses this Redis with the prefix %q: choose another prefix, or "+
			"delete the key %s if that platform is no more", owner, b.cfg.ClusterID, b.cfg.Prefix, key)
	}
	return nil
}

// warnings looks at settings that many a managed Redis does not show; then there are none.
func (b *Bus) warnings(ctx context.Context) (list []string) {
	settings, err := b.client.ConfigGet(ctx, "maxmemory*").Result()
	if policy := settings["maxmemory-policy"]; err == nil && policy != "" && policy != "noeviction" && settings["maxmemory"] != "0" {
		list = append(list, "redis forgets keys when its memory is full (maxmemory-policy "+policy+
			"), and with them who is subscribed: set it to noeviction")
	}
	if now, err := b.client.Time(ctx).Result(); err == nil {
		if skew := time.Since(now); skew.Abs() > maxSkew {
			list = append(list, "the clock of this machine and that of Redis differ by "+skew.Abs().Round(time.Second).String()+
				": have both set by NTP")
		}
	}
	return list
}
