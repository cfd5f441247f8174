package socket_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
)

// The opcodes of RFC 6455 that tests look at.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xA
)

// rawClient speaks WebSocket by hand, so that it can leave undone what a library does by itself.
type rawClient struct {
	conn net.Conn
	r    *bufio.Reader
}

// shakeHands sends the handshake, with more bytes right behind it, and reads the answer.
func (c *rawClient) shakeHands(path, more string) error {
	request := "GET " + path + " HTTP/1.1\r\nHost: edge.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	if _, err := io.WriteString(c.conn, request+more); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

// frame reads one frame of a server, which is not masked.
func (c *rawClient) frame() (op byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return 0, nil, err
	}
	length := uint64(head[1])
	switch length {
	case 126:
		var n [2]byte
		if _, err := io.ReadFull(c.r, n[:]); err != nil {
			return 0, nil, err
		}
		length = uint64(binary.BigEndian.Uint16(n[:]))
	case 127:
		var n [8]byte
		if _, err := io.ReadFull(c.r, n[:]); err != nil {
			return 0, nil, err
		}
		length = binary.BigEndian.Uint64(n[:])
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(c.r, payload)
	return head[0] & 0xf, payload, err
}

// masked returns a client's frame of up to 125 bytes, masked with zeros.
func masked(op byte, payload string) string {
	return string([]byte{0x80 | op, 0x80 | byte(len(payload)), 0, 0, 0, 0}) + payload
}

func maskedText(payload string) string { return masked(opText, payload) }
