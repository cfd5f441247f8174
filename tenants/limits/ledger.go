package limits

import (
	"context"
	"sync"
)

// MemoryLedger is the [Ledger] of a single edge, which no other shares. The zero value is ready, and all methods may be called at
// the same time.
type MemoryLedger struct {
	mu   sync.Mutex
	used map[Day]map[string]memoryEntry // guarded by mu
}

// memoryEntry is what was used of a day, and how much of that without a lease.
type memoryEntry struct{ used, alone int }

var _ Ledger = (*MemoryLedger)(nil)

// Lease implements [Ledger]. There is nobody to share with, so it leases what is needed.
func (m *MemoryLedger) Lease(_ context.Context, owner string, day Day, need, _, limit, alone int) (leased, used int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.used[day][owner]
	if !ok {
		return 0, 0, ErrNoEntry
	}
	e.used += max(0, alone-e.alone)
	e.alone = max(e.alone, alone)
	if e.used+need <= limit {
		e.used, leased = e.used+need, need
	}
	m.used[day][owner] = e
	return leased, e.used, nil
}

// Return implements [Ledger].
func (m *MemoryLedger) Return(_ context.Context, owner string, day Day, n int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.used[day][owner]; ok {
		e.used = max(0, e.used-n)
		m.used[day][owner] = e
	}
	return nil
}

// Begin implements [Ledger].
func (m *MemoryLedger) Begin(_ context.Context, owner string, day Day, used int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used[day] == nil {
		m.used = map[Day]map[string]memoryEntry{day: {}}
	}
	if _, ok := m.used[day][owner]; !ok {
		m.used[day][owner] = memoryEntry{used: used}
	}
	return nil
}

// Used implements [Ledger].
func (m *MemoryLedger) Used(_ context.Context, owner string, day Day) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.used[day][owner]
	if !ok {
		return 0, ErrNoEntry
	}
	return e.used, nil
}
