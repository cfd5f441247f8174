package wire

import (
	"bytes"
	"errors"
	"fmt"
)

// A fixed pair from RFC 6455: the key proves nothing to a load generator but that the server has understood it.
const (
	upgradeKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	upgradeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// maxHead bounds the head of an HTTP answer.
const maxHead = 16 << 10

// AppendUpgrade appends the request that opens a WebSocket for an app's key.
func AppendUpgrade(dst []byte, host, key string) []byte {
	return fmt.Appendf(dst, "GET /app/%s?protocol=7&client=peal-bench&version=1.0&flash=false HTTP/1.1\r\nHost: %s\r\n"+
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", key, host, upgradeKey)
}

// upgraded looks for the answer to an upgrade at the beginning of b. It returns the bytes it takes, 0 while it is
// not whole; what follows are frames.
func upgraded(b []byte) (int, error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) > maxHead {
			return 0, errors.New("the server does not end its answer to the upgrade")
		}
		return 0, nil
	}
	head := b[:end]
	line, _, _ := bytes.Cut(head, []byte("\r\n"))
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 101")) {
		return 0, fmt.Errorf("the server refuses the upgrade: %q", line)
	}
	if !bytes.Contains(head, []byte(upgradeAccept)) {
		return 0, errors.New("the server upgrades without the Sec-WebSocket-Accept that belongs to the key")
	}
	return end + 4, nil
}

// Upgrade takes the answer to an upgrade off the front of what was fed, and is called before [Walker.Next]. It says
// whether the answer was whole.
func (w *Walker) Upgrade() (bool, error) {
	n, err := upgraded(w.now)
	if n == 0 {
		w.rest = append(w.rest[:0], w.now...)
		w.now = nil
		return false, err
	}
	w.now = w.now[n:]
	return true, nil
}
