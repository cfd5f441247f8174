package redisbus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Node is an edge as the registry knows it.
type Node struct {
	ID string `json:"id"`
	// Address is where the others reach it.
	Address string    `json:"address,omitempty"`
	Version string    `json:"version,omitempty"`
	Started time.Time `json:"started"`
}

// Load is what changes of a node while it runs.
type Load struct {
	Sockets int `json:"sockets"`
	// CPU is the share of its cores that the node has used lately, 1 being all of them.
	CPU      float64 `json:"cpu"`
	Draining bool    `json:"draining"`
}

// NodeStatus is a node with the load that it told of last.
type NodeStatus struct {
	Node
	Load
	// Clock is what the node's own clock showed then; zero of a version that does not tell.
	Clock time.Time `json:"clock,omitzero"`
	// Seen is when, by Redis's clock.
	Seen time.Time `json:"-"`
}

func (b *Bus) nodeNow() NodeStatus {
	n := NodeStatus{Node: b.cfg.Node, Clock: time.Now()}
	if n.Started.IsZero() {
		n.Started = b.started
	}
	if b.cfg.Load != nil {
		n.Load = b.cfg.Load()
	}
	return n
}

// Nodes lists the edges whose leases have not been swept, by id. One that has not been seen for longer than a lease is
// dead or out of touch.
func (b *Bus) Nodes(ctx context.Context) ([]NodeStatus, error) {
	if !b.running.Load() {
		return nil, unavailable("nodes", errNotRunning)
	}
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	tag := b.names.none()
	told, err := b.client.HGetAll(ctx, tag+"nodes").Result()
	if err != nil {
		return nil, unavailable("nodes", err)
	}
	leases, err := b.client.ZRangeWithScores(ctx, tag+"leases", 0, -1).Result()
	if err != nil {
		return nil, unavailable("nodes", err)
	}
	var list []NodeStatus
	for _, l := range leases {
		id, _ := l.Member.(string)
		var n NodeStatus
		// A node of another version may tell more or less of itself, but always in JSON.
		if json.Unmarshal([]byte(told[id]), &n) != nil || l.Score == 0 {
			continue
		}
		n.Seen = time.UnixMilli(int64(l.Score)).Add(-b.cfg.Lease)
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b NodeStatus) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

// ErrNoNode says that no edge is registered under an id.
var ErrNoNode = errors.New("no such node is registered")

// AskDrain has the node with an id drain, as soon as it renews its lease. A node whose lease is lost before it has learned of
// it goes on: the registry shows that it does not drain, and who wants it asks again.
func (b *Bus) AskDrain(ctx context.Context, nodeID string) error {
	if !b.running.Load() {
		return unavailable("ask a node to drain", errNotRunning)
	}
	reply, err := b.eval(ctx, b.scripts.drain, b.names.none(), nodeID)
	if err != nil {
		return err
	}
	if number(reply, 0) == 0 {
		return fmt.Errorf("ask node %s to drain: %w", nodeID, ErrNoNode)
	}
	return nil
}

// Renew tells the registry at once of a load that has changed, as when the node begins to drain.
func (b *Bus) Renew() { b.tenure.renewNow() }
