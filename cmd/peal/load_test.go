package main

import (
	"testing"
	"time"
)

func TestCPUMeter(t *testing.T) {
	t.Parallel()
	var m cpuMeter
	began := time.Now()
	if share := m.read(began); share != 0 {
		t.Errorf("%v before anything is known", share)
	}
	for time.Since(began) < 200*time.Millisecond { // what a core does in that time
	}
	busy := m.read(began.Add(2 * time.Second))
	if busy <= 0.001 {
		t.Errorf("%v, though the process was busy", busy)
	}
	if again := m.read(began.Add(2*time.Second + time.Millisecond)); again != busy {
		t.Errorf("%v a moment later, %v before", again, busy)
	}
}
