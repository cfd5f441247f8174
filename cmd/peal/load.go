package main

import (
	"runtime"
	"sync"
	"syscall"
	"time"
)

// cpuMeter tells how busy this process is.
type cpuMeter struct {
	mu    sync.Mutex
	at    time.Time     // guarded by mu; when it was looked at last
	used  time.Duration // guarded by mu; of all cores, by then
	share float64       // guarded by mu; in the time before
}

// read returns the share of the cores it may use that the process has used lately, 1 being all of them.
func (m *cpuMeter) read(now time.Time) float64 {
	const least = time.Second // Less says little.
	m.mu.Lock()
	defer m.mu.Unlock()
	passed := now.Sub(m.at)
	if passed < least {
		return m.share
	}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return m.share
	}
	used := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if !m.at.IsZero() {
		m.share = float64(used-m.used) / float64(passed) / float64(runtime.GOMAXPROCS(0))
	}
	m.at, m.used = now, used
	return m.share
}
