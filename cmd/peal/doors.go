package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Limits of every door. A connection that says nothing for longer, or says too much, is cut off.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	idleTimeout       = 120 * time.Second
	maxHeaderBytes    = 16 << 10
)

// door is one address with the server behind it.
type door struct {
	name     string
	listener net.Listener
	server   *http.Server
}

// openDoor listens, so that the port is known before anything is built that tells of it.
func openDoor(ctx context.Context, name, addr string) (*door, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open the %s door: %w; choose another address with --%s-addr", name, err, name)
	}
	return &door{name: name, listener: l, server: newServer()}, nil
}

// serve answers until the door is shut.
func (d *door) serve(h http.Handler, log *slog.Logger) error {
	d.server.Handler = h
	d.server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	if err := d.server.Serve(d.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("%s door: %w", d.name, err)
	}
	return nil
}

// newServer returns a server with the limits of every door. A write has no limit here: the edge's are its own.
//
// HTTP/2 without TLS is for clients who know that they will get it, such as gRPC's behind a proxy; nobody is upgraded to it.
func newServer() *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Protocols:         &protocols,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
	}
}

// port returns the port that the door really has.
func (d *door) port() int {
	if a, ok := d.listener.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

// url returns where the door is reached from this machine.
func (d *door) url() *url.URL {
	host := "localhost"
	if a, ok := d.listener.Addr().(*net.TCPAddr); ok && !a.IP.IsUnspecified() {
		host = a.IP.String()
	}
	return &url.URL{Scheme: "http", Host: net.JoinHostPort(host, strconv.Itoa(d.port()))}
}

// portOf returns the port of a URL, also where its scheme implies it.
func portOf(u *url.URL) int {
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}
