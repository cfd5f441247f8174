package channels

// OnceApps returns of how many apps parcels are remembered.
func (b *MemoryBus) OnceApps() int {
	b.once.mu.Lock()
	defer b.once.mu.Unlock()
	return len(b.once.apps)
}
