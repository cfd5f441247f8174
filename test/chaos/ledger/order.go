package ledger

// oneOrder checks that there is one order of a channel's events that all its sockets have seen, each with some left out:
// the second half of I3. Each socket says of any two events that it heard in turn which was first; where all agree there
// is no circle in that.
func (c *checker) oneOrder(key topicKey, t *topic) {
	next := map[ID][]ID{}
	before := map[ID]int{} // how many come directly before it
	type edge struct{ a, b ID }
	known := map[edge]bool{}
	for _, l := range t.listenings {
		seen := make(map[ID]bool, len(l.Heard))
		var last ID
		some := false
		for _, h := range l.Heard {
			if seen[h.ID] { // that it came twice is said elsewhere
				continue
			}
			seen[h.ID] = true
			if _, ok := before[h.ID]; !ok {
				before[h.ID] = 0
			}
			if e := (edge{last, h.ID}); some && !known[e] {
				known[e] = true
				next[last] = append(next[last], h.ID)
				before[h.ID]++
			}
			last, some = h.ID, true
		}
	}
	var free []ID
	for id, n := range before {
		if n == 0 {
			free = append(free, id)
		}
	}
	sorted := 0
	for len(free) > 0 {
		id := free[len(free)-1]
		free = free[:len(free)-1]
		sorted++
		for _, later := range next[id] {
			if before[later]--; before[later] == 0 {
				free = append(free, later)
			}
		}
	}
	if sorted < len(before) {
		c.violate("I3", "app %d, channel %d: sockets heard some of %d events in different orders", key.app, key.channel, len(before)-sorted)
	}
}
