package socket

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
)

const (
	// pressureTick is how often the server looks at what waits and at its memory.
	pressureTick = 250 * time.Millisecond
	// refuseAt is the share of the memory from which nobody is let in, and shedAt that from which clients that do
	// not read are given up. What is queued for them is the only memory that can be had back at once.
	refuseAt = 0.85
	shedAt   = 0.92
	// worthShedding is how little waiting for one client is not worth its connection.
	worthShedding = 64 << 10
)

// watchPressure bounds what all clients together may cost, until ctx ends.
func (s *Server) watchPressure(ctx context.Context) error {
	tick := time.NewTicker(pressureTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.relieve(s.memory())
		case <-ctx.Done():
			return nil
		}
	}
}

// memory returns the share of the memory that is in use, 0 where nobody watches it.
func (s *Server) memory() float64 {
	if s.cfg.Memory == nil {
		return 0
	}
	return s.cfg.Memory()
}

// relieve notes whether there is memory for more sockets. Where more is queued than may be, it closes those that hold
// most of it until only three quarters of the bound are left; where memory is short, until half of it is.
func (s *Server) relieve(memory float64) {
	s.full.Store(memory >= refuseAt)
	queued, sockets := s.queued()
	keep := queued
	switch {
	case memory >= shedAt:
		keep = queued / 2
	case queued > s.cfg.TotalQueueBytes:
		keep = s.cfg.TotalQueueBytes / 4 * 3
	}
	if queued <= keep {
		return
	}
	slices.SortFunc(sockets, func(a, b queuedSocket) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, c := range sockets {
		if queued <= keep {
			return
		}
		queued -= c.bytes
		if c.close(&session.Ending{Code: pusher.CloseOverCapacity, Text: "The server is short of memory and the connection does not keep up"}, true) {
			s.metrics.shed.Inc()
		}
	}
}

// queuedSocket is a socket for which more waits than is worth its connection.
type queuedSocket struct {
	*socket
	bytes int64
}

// queued returns the bytes that wait for all sockets, and the sockets that hold most of them.
func (s *Server) queued() (total int64, most []queuedSocket) {
	s.sockets.each(func(c *socket) {
		n := c.line.queued()
		total += n
		if n >= worthShedding {
			most = append(most, queuedSocket{c, n})
		}
	})
	return total, most
}
