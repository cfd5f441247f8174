package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pealhq/peal/internal/devstack"
)

// Kind is what form Redis has.
type Kind string

// The forms.
const (
	Single   Kind = "single"
	Sentinel Kind = "sentinel"
	Cluster  Kind = "cluster"
)

// Config says what a platform is made of.
type Config struct {
	// Binary is the program; Binaries gives the first edges others.
	Binary   string
	Binaries []string
	// Migrate is the program that brings the schema up to date, where that is not Binary.
	Migrate string
	Edges   int
	Redis   Kind
	// Seed is the manifest of the apps, as `peal apply` takes it.
	Seed string
	// Env are settings for the edges, as NAME=value.
	Env []string
}

// kek is a key-encryption key for secrets that are none.
const kek = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// Platform is everything that runs.
type Platform struct {
	Edges []*Edge
	// Redis are its servers: one; a master and two replicas; or three masters and then their replicas.
	Redis []*Redis

	cfg            Config
	dir            string
	redisURL       string
	postgres       *devstack.Postgres
	postgresSocket string
	sentinels      sentinels
}

// Start starts a platform and returns when all its edges are ready. The caller closes it, also after an error.
func Start(ctx context.Context, cfg Config) (*Platform, error) {
	p := &Platform{cfg: cfg}
	var err error
	if p.dir, err = devstack.ScratchDir(); err != nil {
		return p, err
	}
	if err := p.startPostgres(ctx); err != nil {
		return p, err
	}
	switch cfg.Redis {
	case Single:
		var r *Redis
		r, err = startRedis(ctx, p.mkdir("redis-0"), "--appendonly", "yes", "--appendfsync", "everysec")
		p.Redis = append(p.Redis, r)
	case Sentinel:
		err = p.startSentinel(ctx)
	case Cluster:
		err = p.startCluster(ctx)
	default:
		err = fmt.Errorf("there is no form of Redis %q", cfg.Redis)
	}
	if err != nil {
		return p, err
	}
	if err := p.seed(ctx); err != nil {
		return p, err
	}
	for i := range cfg.Edges {
		e, err := p.newEdge(ctx, i)
		if err != nil {
			return p, err
		}
		p.Edges = append(p.Edges, e)
		if err := e.Start(ctx); err != nil {
			return p, err
		}
	}
	return p, nil
}

// seed brings the schema up to date and makes the apps.
func (p *Platform) seed(ctx context.Context) error {
	file := filepath.Join(p.dir, "seed.yaml")
	if err := os.WriteFile(file, []byte(p.cfg.Seed), 0o600); err != nil {
		return err
	}
	program := p.cfg.Migrate
	if program == "" {
		program = p.cfg.Binary
	}
	for _, args := range [][]string{{"migrate", "up"}, {"apply", "-f", file, "--yes"}} {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Env = withoutSettings("PEAL_DATABASE_URL="+p.postgres.URL(), "PEAL_KEY_ENCRYPTION_KEY="+kek)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("peal %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// mkdir makes a folder of a server. An error shows when the server starts in it.
func (p *Platform) mkdir(name string) string {
	dir := filepath.Join(p.dir, name)
	_ = os.MkdirAll(dir, 0o700) // as above
	return dir
}

// Empty removes what a Redis that does not run has on disk.
func (r *Redis) Empty() error {
	return os.RemoveAll(filepath.Join(r.dir, "appendonlydir"))
}

// Close ends everything, in whatever state it is, and removes what it has written.
func (p *Platform) Close(ctx context.Context) error {
	for _, e := range p.Edges {
		e.close()
	}
	for _, s := range p.sentinels.procs {
		s.kill()
	}
	for _, r := range p.Redis {
		if r != nil {
			r.close()
		}
	}
	var err error
	if p.postgres != nil {
		err = p.postgres.Stop(ctx)
	}
	if p.dir != "" {
		if e := os.RemoveAll(p.dir); err == nil {
			err = e
		}
	}
	return err
}
