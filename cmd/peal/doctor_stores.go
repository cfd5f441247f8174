package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/channels/redisbus"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

const (
	// testedPostgres is the oldest major version that Peal is tested with.
	testedPostgres = 15
	// mostSkew is by how much two clocks may differ before an operator is told: by so much sessions and grace periods of keys
	// end early or late, and times in the logs of several machines cannot be compared.
	mostSkew = 5 * time.Second
)

// examineDatabase asks PostgreSQL what a start asks it, and returns the platform's id, or "" where it cannot be had.
func (d *doctor) examineDatabase(ctx context.Context) (platform string) {
	const check = "database"
	url, err := d.settings.required(setDatabaseURL)
	if err != nil {
		d.fail(check, "%v", err)
	}
	keys, keyErr := keyEncryptionKeys(d.settings)
	if keyErr != nil {
		d.fail("key-encryption key", "%v", keyErr)
	}
	if err != nil {
		return ""
	}
	// Without its key everything but the key can be looked at all the same.
	store, err := newStores(ctx, url, keys)
	if errors.Is(err, pgdb.ErrURL) {
		d.fail(check, "%s%s is %v", envPrefix, strings.ToUpper(setDatabaseURL), err)
		return ""
	}
	if err != nil {
		d.fail(check, "%v", err)
		return ""
	}
	defer store.Close()
	if !d.examineServer(ctx, store) {
		return ""
	}
	if err := store.db.CheckSchema(ctx); err != nil {
		d.told("schema", err)
		return ""
	}
	d.ok("schema", "it has every migration that this version needs")
	if keyErr == nil {
		d.examineSeals(ctx, store)
	}
	id, err := store.PlatformID(ctx)
	if err != nil {
		d.told(check, err)
		return ""
	}
	return id.String()
}

// examineSeals tells with which key-encryption keys the database's secrets are sealed.
func (d *doctor) examineSeals(ctx context.Context, store *stores) {
	const check = "key-encryption key"
	counts, err := store.seals.Counts(ctx)
	if err != nil {
		d.told(check, err)
		return
	}
	earlier, missing := store.seals.Judge(counts)
	switch {
	case len(missing) > 0:
		d.fail(check, "secrets in use are sealed with %s, which this process was not given (it has %s): put it into %s, or give the apps new keys",
			strings.Join(missing, ", "), strings.Join(store.sealer.IDs(), ", "), envPrefix+strings.ToUpper(setOtherKeyEncryptionKeys))
	case earlier > 0:
		d.warn(check, "%d secrets are sealed with another key-encryption key than the current %s: `peal keys reseal` seals them anew", earlier, store.sealer.ID())
	default:
		d.ok(check, "it is the one that the secrets of this database are sealed with")
	}
}

// examineServer tells whether PostgreSQL answers.
func (d *doctor) examineServer(ctx context.Context, store *stores) bool {
	const check = "database"
	began := time.Now()
	server, err := store.db.Server(ctx)
	if errors.Is(err, tenants.ErrUnavailable) {
		d.away(check, "PostgreSQL does not answer; check the address, that it runs, and that it lets this machine in: %v", err)
		return false
	}
	if err != nil {
		d.fail(check, "PostgreSQL refuses; check the user, the password and the name of the database: %v", err)
		return false
	}
	d.ok(check, "PostgreSQL %s answers", server.Version)
	if server.Major < testedPostgres {
		d.warn(check, "this is PostgreSQL %s, and Peal is tested with %d and later: upgrade it", server.Version, testedPostgres)
	}
	if skew := skewOf(server.Now, began, time.Now()); skew > mostSkew {
		d.warn("clock", "the clock of this machine and that of PostgreSQL differ by %s: have both set by NTP", skew.Round(time.Second))
	}
	return true
}

// skewOf is by how much another clock differs from ours, if it was asked between two moments.
func skewOf(other, from, to time.Time) time.Duration {
	switch {
	case other.Before(from):
		return from.Sub(other)
	case other.After(to):
		return other.Sub(to)
	}
	return 0
}

// told notes an error that already says what to do.
func (d *doctor) told(check string, err error) {
	if isUnavailable(err) || errors.Is(err, channels.ErrUnavailable) {
		d.away(check, "%v", err)
		return
	}
	d.fail(check, "%v", err)
}

// examineRedis has the bus look at its server.
func (d *doctor) examineRedis(ctx context.Context, platform string) {
	const check = "redis"
	url := d.settings.text(setRedisURL)
	if url == "" {
		d.ok(check, "%s is not set: this process is all there is, and events reach only its own sockets", setRedisURL)
		return
	}
	prefix := d.settings.text(setRedisPrefix)
	if prefix == "" || checkRedisPrefix(prefix) != nil {
		return // That has been told, and a bus with another prefix would look at what is not ours.
	}
	redisbus.LogTo(slog.New(slog.DiscardHandler)) // It is told below.
	bus, err := redisbus.New(redisbus.Config{URL: url, Prefix: prefix, ClusterID: platform})
	if err != nil {
		d.fail(check, "%v", redisURLError(err))
		return
	}
	defer bus.Close() //nolint:errcheck // It never ran, and has nothing to lose.
	warnings, err := bus.Examine(ctx)
	if err != nil {
		d.told(check, err)
		return
	}
	if platform == "" {
		d.ok(check, "it answers; whether another platform uses the prefix %q cannot be known without the database", prefix)
	} else {
		d.ok(check, "it answers, and no other platform uses the prefix %q", prefix)
	}
	for _, w := range warnings {
		d.warn(check, "%s", w)
	}
}
