// Command platform runs two edges on one Redis and one PostgreSQL behind HAProxy, for tests that are not to notice that it
// is not one: it prints where it is as `peal dev --json` does, and stops all upon SIGTERM.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pealhq/peal/test/chaos/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "platform:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	binary := flag.String("binary", "bin/peal", "the program")
	seed := flag.String("seed", "", "manifest of the apps")
	config := flag.String("haproxy", "deploy/haproxy.cfg", "configuration of HAProxy")
	leash := flag.Bool("leash", false, "stop when standard input ends, as it does when whoever started this dies")
	flag.Parse()
	ctx, letGo := context.WithCancel(ctx)
	defer letGo()
	if *leash {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // However it ends, it ends.
			letGo()
		}()
	}
	apps, err := os.ReadFile(*seed)
	if err != nil {
		return err
	}
	const limit = time.Minute // to stop what was started
	p, err := stack.Start(ctx, stack.Config{
		Binary: *binary, Edges: 2, Redis: stack.Single, Seed: string(apps),
		Env: []string{"PEAL_DRAIN_PAUSE=0s", "PEAL_TRUSTED_PROXIES=127.0.0.1"},
	})
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		err = errors.Join(err, p.Close(ending))
	}()
	if err != nil {
		return err
	}
	front, err := stack.NewHAProxy(ctx, *config, p.Dir(), p.Edges...)
	if err != nil {
		return err
	}
	defer front.Close()
	facts := map[string]string{"edge_url": "http://" + front.Addr().String(), "ops_url": p.Edges[0].Ops(), "direct": p.Edges[0].Addr().String()}
	if err := json.NewEncoder(os.Stdout).Encode(facts); err != nil {
		return err
	}
	<-ctx.Done()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	for _, e := range p.Edges {
		err = errors.Join(err, e.End(ending))
		for _, line := range e.Alerts() {
			fmt.Fprintln(os.Stderr, "edge", e.Index, line)
		}
	}
	return err
}
