package limits

import (
	"context"
	"sync"
)

// MemoryLedger is the [Ledger] of a single edge, which no other shares. The zero value is ready, and all methods may be called at
// the same time.
type MemoryLedger struct {
	mu   sync.Mutex
	used map[Day]map[string]int // guarded by mu
}

var _ Ledger = (*MemoryLedger)(nil)

// Lease implements [Ledger]. There is nobody to share with, so it leases what is needed.
func (m *MemoryLedger) Lease(_ context.Context, owner string, day Day, need, _, limit, spent int) (leased, used int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	used, ok := m.used[day][owner]
	if !ok {
		return 0, 0, ErrNoEntry
	}
	used += spent
	if used+need <= limit {
		used, leased = used+need, need
	}
	m.used[day][owner] = used
	return leased, used, nil
}

// Return implements [Ledger].
func (m *MemoryLedger) Return(_ context.Context, owner string, day Day, n int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if used, ok := m.used[day][owner]; ok {
		m.used[day][owner] = max(0, used-n)
	}
	return nil
}

// Begin implements [Ledger].
func (m *MemoryLedger) Begin(_ context.Context, owner string, day Day, used int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used[day] == nil {
		m.used = map[Day]map[string]int{day: {}}
	}
	if _, ok := m.used[day][owner]; !ok {
		m.used[day][owner] = used
	}
	return nil
}

// Used implements [Ledger].
func (m *MemoryLedger) Used(_ context.Context, owner string, day Day) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	used, ok := m.used[day][owner]
	if !ok {
		return 0, ErrNoEntry
	}
	return used, nil
}
