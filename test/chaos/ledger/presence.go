package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Room is a presence channel when it should have come to rest.
type Room struct {
	Name string
	// Live are the users who have a socket there. Steady are those of them of whom nobody may ever have been told that they
	// left: they and their edge were there, and in touch, all the time.
	Live, Steady []string
	// Listed is what each edge says of who is there.
	Listed map[string][]string
	// Observers are sockets that were there all the time.
	Observers []Observer
	// Gone are users who left once, and nothing else, while the observers were there.
	Gone []string
}

// Observer is what a socket on a presence channel has been told.
type Observer struct {
	Name string
	// Believes are the users whom it takes to be there.
	Believes []string
	// Added and Removed count how often it was told that a user came and went.
	Added, Removed map[string]int
}

// CheckRooms is I7: lists and what members were told have come to the users who are there, each who left was told of once,
// and nobody who was there all the time was said to have left.
func CheckRooms(rooms []Room) []Violation {
	var found []Violation
	violate := func(format string, args ...any) {
		found = append(found, Violation{"I7", fmt.Sprintf(format, args...)})
	}
	for _, r := range rooms {
		for _, edge := range slices.Sorted(maps.Keys(r.Listed)) {
			if d := difference(r.Live, r.Listed[edge]); d != "" {
				violate("%s: the list of %s is wrong: %s", r.Name, edge, d)
			}
		}
		for _, o := range r.Observers {
			if d := difference(r.Live, o.Believes); d != "" {
				violate("%s: what %s was told is wrong: %s", r.Name, o.Name, d)
			}
			for _, user := range r.Gone {
				if n := o.Removed[user]; n != 1 {
					violate("%s: %s was told %d times that %s left", r.Name, o.Name, n, user)
				}
			}
			for _, user := range r.Steady {
				if n := o.Removed[user]; n > 0 {
					violate("%s: %s was told that %s left, who did not", r.Name, o.Name, user)
				}
			}
		}
	}
	return found
}

// difference says who is missing from a list and who is there without being live.
func difference(live, list []string) string {
	var parts []string
	if missing := without(live, list); len(missing) > 0 {
		parts = append(parts, "without "+some(missing))
	}
	if ghosts := without(list, live); len(ghosts) > 0 {
		parts = append(parts, "with "+some(ghosts)+", who are not there")
	}
	if len(list) != len(slices.Compact(slices.Sorted(slices.Values(list)))) {
		parts = append(parts, "somebody is in it twice")
	}
	return strings.Join(parts, ", ")
}

// without returns who is in a and not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(u string) bool { return slices.Contains(b, u) })
}

func some(users []string) string {
	slices.Sort(users)
	if len(users) > few {
		return fmt.Sprintf("%s and %d more", strings.Join(users[:few], ", "), len(users)-few)
	}
	return strings.Join(users, ", ")
}
