// Command noisy measures what a quiet tenant notices of a noisy one on the same node: how long its events take from when they are due
// until they are heard, with and without the noise, in turn, and whether it loses any. It starts a `peal dev` of its own on free
// ports with data in a temporary folder, loads it by `peal bench`, and ends what it started. Only the loopback is used.
//
// Start with run; noises.go has what the noisy tenant does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// mostTimes is how many times as long the noisy p99 may be as the quiet one.
const mostTimes = 2

type config struct {
	peal     string // the program
	rounds   int
	duration time.Duration
	rate     int // events a second of the quiet tenant
	hearers  int // subscribers of each
	crowd    int // sockets of the noisy tenant, where it has many
}

var errMissed = errors.New("a goal was missed")

func main() {
	var cfg config
	flag.StringVar(&cfg.peal, "peal", "bin/peal", "the program to measure")
	flag.IntVar(&cfg.rounds, "rounds", 3, "how often each noise is made")
	flag.DurationVar(&cfg.duration, "duration", 4*time.Second, "how long each measurement takes")
	flag.IntVar(&cfg.rate, "rate", 100, "events a second of the quiet tenant")
	flag.IntVar(&cfg.hearers, "subscribers", 20, "how many hear each of its events")
	flag.IntVar(&cfg.crowd, "crowd", 3000, "how many sockets the noisy tenant has, opens or closes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if _, err := run(ctx, cfg, os.Stdout); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "noisy:", err)
		os.Exit(1)
	}
}

// run measures, prints, and returns what it measured. It returns errMissed besides when a goal was missed.
func run(ctx context.Context, cfg config, out io.Writer) ([]row, error) {
	s, err := startServer(ctx, cfg.peal)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	rows := make([]row, len(noises()))
	for round := range cfg.rounds {
		for i, n := range noises() {
			rows[i].name = n.name
			if err := rows[i].measure(ctx, cfg, s, n); err != nil {
				return rows, fmt.Errorf("round %d, %s: %w", round+1, n.name, err)
			}
		}
	}
	return rows, report(out, cfg, rows)
}

// row is what was measured with one noise and, right before each time, without.
type row struct {
	name         string
	quiet, noisy []heard
}

func (r *row) measure(ctx context.Context, cfg config, s *server, n noise) error {
	quiet, err := s.listen(ctx, cfg, nil)
	if err != nil {
		return err
	}
	loud, err := s.make(ctx, cfg, n)
	if err != nil {
		return err
	}
	defer loud.end()
	var middle func()
	if n.ends {
		middle = loud.end
	}
	noisy, err := s.listen(ctx, cfg, middle)
	if err != nil {
		return err
	}
	if !n.ends && loud.over() {
		return fmt.Errorf("the noise ended too early: %s", loud.stderr.String())
	}
	r.quiet, r.noisy = append(r.quiet, quiet), append(r.noisy, noisy)
	return nil
}

func report(out io.Writer, cfg config, rows []row) error {
	_, _ = fmt.Fprintf(out, "| noise | quiet p99, ms | noisy p99, ms | times | must | lost | |\n|---|---|---|---|---|---|---|\n")
	var err error
	for _, r := range rows {
		quiet, noisy, lost := p99(r.quiet), p99(r.noisy), 0
		for _, h := range slices.Concat(r.quiet, r.noisy) {
			lost += h.wrong()
		}
		verdict := "PASS"
		if noisy > mostTimes*quiet || lost > 0 {
			verdict, err = "missed", errMissed
		}
		_, _ = fmt.Fprintf(out, "| %s | %.1f | %.1f | %.2f | ≤ %d | %d | %s |\n", r.name, quiet, noisy, noisy/quiet, mostTimes, lost, verdict)
	}
	_, _ = fmt.Fprintf(out, "\nMedians of %d rounds of %v; the quiet tenant publishes %d events a second, each to %d subscribers; the noisy one has up to %d sockets.\n",
		cfg.rounds, cfg.duration, cfg.rate, cfg.hearers, cfg.crowd)
	return err
}

// p99 returns the median of the rounds in milliseconds.
func p99(rounds []heard) float64 {
	var list []float64
	for _, h := range rounds {
		list = append(list, h.P99/1000)
	}
	slices.Sort(list)
	if n := len(list); n%2 == 0 {
		return (list[n/2-1] + list[n/2]) / 2
	}
	return list[len(list)/2]
}
