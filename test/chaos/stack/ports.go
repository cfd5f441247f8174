package stack

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
)

// ports is the last port that was given. They are below those that the system gives to connections, and none is given twice
// by one process: what went away must find its port free when it comes back, and a Sentinel looks for a server where it was.
var ports atomic.Int64

// freePort returns a port of the loopback that nobody listens on.
func freePort(ctx context.Context) (string, error) {
	const first, n = 12_000, 8_000
	for range n {
		port := strconv.FormatInt(first+(int64(os.Getpid())*37+ports.Add(1))%n, 10)
		if l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:"+port); err == nil {
			return port, l.Close()
		}
	}
	return "", fmt.Errorf("no port from %d to %d is free", first, first+n)
}
