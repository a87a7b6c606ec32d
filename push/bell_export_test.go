package push

// Couriers is how many couriers have ears.
func (b *Bell) Couriers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ears)
}
