package crowd

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/pealhq/peal/test/chaos/ledger"
)

// membership is what a member has been told of the others.
type membership struct {
	here           map[string]bool
	added, removed map[string]int
	// knows is how many it knew of, whenever that rose.
	most     int
	mostAt   time.Duration
	lastGone time.Duration
}

// list takes the list that comes with the subscription.
func (m *membership) list(data []byte, now time.Duration) {
	var l struct {
		Presence struct {
			IDs []string `json:"ids"`
		} `json:"presence"`
	}
	_ = json.Unmarshal(data, &l) // A list that cannot be read is an empty one, which I7 will not let pass.
	m.here = map[string]bool{}
	for _, id := range l.Presence.IDs {
		m.here[id] = true
	}
	m.grown(now)
}

func (m *membership) notice(added bool, user string, now time.Duration) {
	if m.here == nil {
		m.here = map[string]bool{}
	}
	if m.added == nil {
		m.added, m.removed = map[string]int{}, map[string]int{}
	}
	if added {
		m.here[user] = true
		m.added[user]++
		m.grown(now)
		return
	}
	delete(m.here, user)
	m.removed[user]++
	m.lastGone = now
}

func (m *membership) grown(now time.Duration) {
	if n := len(m.here); n > m.most {
		m.most, m.mostAt = n, now
	}
}

// Member is what a client on a presence channel believes.
type Member struct {
	ledger.Observer
	Client int
	Seat   Seat
	// Most is the most members that it ever knew of, MostAt when it first knew of so many.
	Most   int
	MostAt time.Duration
	// LastGone is when it was last told that somebody left.
	LastGone time.Duration
	// Listens tells whether it has a socket now, Sockets how many it has had.
	Listens bool
	Sockets int
}

// Members are all clients on presence channels.
func (c *Crowd) Members() (all []Member) {
	c.do(func() {
		for _, one := range c.clients {
			if one.seat.User == "" {
				continue
			}
			m := &one.members
			all = append(all, Member{
				Observer: ledger.Observer{
					Name: one.seat.User, Believes: slices.Sorted(maps.Keys(m.here)), Added: maps.Clone(m.added), Removed: maps.Clone(m.removed),
				},
				Client: one.number, Seat: one.seat, Most: m.most, MostAt: m.mostAt, LastGone: m.lastGone,
				Listens: one.state == listening, Sockets: len(one.listenings),
			})
		}
	})
	return all
}
