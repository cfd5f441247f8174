package plain

import (
	"context"

	"github.com/coder/websocket"
)

// socket is one client: a queue, and a goroutine that writes what is in it.
type socket struct {
	conn *websocket.Conn
	out  chan []byte
	stop context.CancelFunc
	in   []*channel // read and written by the goroutine that reads
}

// queued is how many frames may wait for a socket. Past that it is too slow, and is closed.
const queued = 1024

func (c *socket) send(frame []byte) {
	select {
	case c.out <- frame:
	default:
		c.stop()
	}
}

func (c *socket) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case frame := <-c.out:
			if err := c.conn.Write(ctx, websocket.MessageText, frame); err != nil {
				c.stop()
				return
			}
		}
	}
}
