package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a `peal dev` of our own.
type server struct {
	peal, edge, ops, data string
	cmd                   *exec.Cmd
}

func startServer(ctx context.Context, peal string) (_ *server, err error) {
	s := &server{peal: peal}
	if s.data, err = os.MkdirTemp("", "peal-noisy-"); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	file := filepath.Join(s.data, "seed.yaml")
	if err := os.WriteFile(file, []byte(seed), 0o600); err != nil {
		return nil, fmt.Errorf("write the apps: %w", err)
	}
	// It is stopped in order, whatever ends the measurement.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), peal, "dev", "--json", "--data", filepath.Join(s.data, "peal"), "--seed", file, //nolint:gosec // G204: our own arguments.
		"--edge-addr", "127.0.0.1:0", "--control-addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0")
	var log bytes.Buffer
	cmd.Stderr = &log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start peal: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start peal: %w", err)
	}
	s.cmd = cmd
	var info struct {
		Edge string `json:"edge_url"`
		Ops  string `json:"ops_url"`
	}
	line, readErr := bufio.NewReader(stdout).ReadBytes('\n')
	if err := errors.Join(readErr, json.Unmarshal(line, &info)); err != nil {
		s.stop()
		s.cmd = nil
		return nil, fmt.Errorf("peal dev did not start: %w\n%s", err, log.String())
	}
	s.edge, s.ops = strings.TrimPrefix(info.Edge, "http://"), info.Ops
	return s, ctx.Err()
}

// stop ends the server and waits for it, and removes what it wrote.
func (s *server) stop() {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(time.Minute, func() { _ = s.cmd.Process.Kill() })
		_ = s.cmd.Wait()
		timer.Stop()
	}
	_ = os.RemoveAll(s.data)
}

// subscriptions returns how many there are, by the server's own metric.
func (s *server) subscriptions(ctx context.Context) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.ops+"/metrics", nil)
	if err != nil {
		return 0
	}
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "peal_subscriptions "); ok {
			n, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int(n)
		}
	}
	return 0
}

// heard is what became of the quiet tenant's events, as `peal bench` tells it.
type heard struct {
	P99       float64 // in microseconds
	Delivered int
	Lost      int
	Refused   int
	Dropped   int
}

func (h heard) wrong() int { return h.Lost + h.Refused + h.Dropped }

// listen measures the quiet tenant. Amid the measurement it calls middle, where there is something to do.
func (s *server) listen(ctx context.Context, cfg config, middle func()) (heard, error) {
	const warmup = time.Second
	cmd := exec.CommandContext(ctx, s.peal, "bench", "fanout", "--target", s.edge, //nolint:gosec // G204: our own arguments.
		"--app-id", "1", "--key", "peal-dev-key", "--secret", "peal-dev-secret", "-o", "json", "--rate", strconv.Itoa(cfg.rate),
		"--subscribers", strconv.Itoa(cfg.hearers), "--warmup", warmup.String(), "--duration", cfg.duration.String())
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Start(); err != nil {
		return heard{}, fmt.Errorf("measure: %w", err)
	}
	if middle != nil {
		time.Sleep(warmup + cfg.duration/2)
		middle()
	}
	waitErr := cmd.Wait()
	var res struct {
		Targets []struct {
			Rounds []struct {
				Latency struct{ P99 float64 } `json:"latency_microseconds"`
				Counts  struct {
					Delivered, Lost, Refused int
					Dropped                  int `json:"dropped_sockets"`
				}
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &res); err != nil || len(res.Targets) != 1 || len(res.Targets[0].Rounds) != 1 {
		return heard{}, fmt.Errorf("measure: %w\n%s", errors.Join(waitErr, err), log.String())
	}
	r := res.Targets[0].Rounds[0]
	return heard{r.Latency.P99, r.Counts.Delivered, r.Counts.Lost, r.Counts.Refused, r.Counts.Dropped}, nil
}
