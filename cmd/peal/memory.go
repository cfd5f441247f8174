package main

import (
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// goShare is the share of the memory at which the garbage collector works harder. What is above it belongs to the
// kernel's side of the process.
const goShare = 0.9

// memoryLimit returns how many bytes the process may use: what the setting says, or what the container or the machine
// has. It is 0 when neither can be known.
func memoryLimit(setting string, log *slog.Logger) uint64 {
	if n, err := parseBytes(setting); err == nil {
		return n
	}
	limit, err := memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)()
	if err != nil || limit == math.MaxUint64 {
		log.Warn("how much memory there is cannot be known; set memory_limit so that the edge refuses sockets in time", "err", err)
		return 0
	}
	return limit
}

// watchMemory makes the collector mind the limit, and returns what tells which share of it is in use.
func watchMemory(limit uint64) func() float64 {
	if limit == 0 {
		return nil
	}
	if debug.SetMemoryLimit(-1) == math.MaxInt64 { // and nobody has set GOMEMLIMIT
		debug.SetMemoryLimit(int64(goShare * float64(limit)))
	}
	return func() float64 {
		samples := [2]metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		metrics.Read(samples[:])
		return float64(samples[0].Value.Uint64()-samples[1].Value.Uint64()) / float64(limit)
	}
}

// units are what a number of bytes may end with.
var units = []struct {
	suffix string
	bytes  uint64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}

// parseBytes reads a number of bytes such as 512MiB.
func parseBytes(v string) (uint64, error) {
	for _, u := range units {
		if digits, ok := strings.CutSuffix(v, u.suffix); ok {
			n, err := strconv.ParseUint(digits, 10, 32)
			return n * u.bytes, err
		}
	}
	return strconv.ParseUint(v, 10, 62)
}

// smallestMemory is less than the process needs to start.
const smallestMemory = 64 << 20

func checkMemory(v string) error {
	if v == "auto" {
		return nil
	}
	if n, err := parseBytes(v); err != nil || n < smallestMemory {
		return fmt.Errorf("is not auto and no size from 64MiB; it reads like 512MiB or 4GiB")
	}
	return nil
}
