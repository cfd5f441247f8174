package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	adminapi "github.com/pealhq/peal/admin-api"
	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/admin-api/gen/peal/admin/v1/adminv1connect"
)

// fewSockets is below what anybody would expect of an edge; a system that nobody has set up has room for less.
const fewSockets = 5_000

func (d *doctor) examineDescriptors() {
	const check = "descriptors"
	descriptors, _ := descriptorShares()
	sockets, conversations := fallbackShare(descriptors)
	switch {
	case descriptors == 0:
		d.warn(check, "the limit cannot be read, so the edge cannot refuse sockets in time; see `ulimit -n`")
	case sockets < fewSockets:
		d.warn(check, "there is room for %d sockets and %d conversations over HTTP; raise the limit of open files (ulimit -n, "+
			"LimitNOFILE= of systemd, nofile of a container)", sockets, conversations)
	default:
		d.ok(check, "there is room for %d sockets and %d conversations over HTTP", sockets, conversations)
	}
}

// littleMemory leaves little for sockets beside the process itself.
const littleMemory = 256 << 20

func (d *doctor) examineMemory() {
	const check = "memory"
	setting := d.settings.text(setMemoryLimit)
	if checkMemory(setting) != nil {
		return // That has been told.
	}
	quiet := slog.New(slog.DiscardHandler)
	limit, there := memoryLimit(setting, quiet), memoryLimit("auto", quiet)
	switch {
	case limit == 0:
		d.warn(check, "how much there is cannot be known; set %s so that the edge refuses sockets in time", setMemoryLimit)
	case there > 0 && limit > there:
		d.warn(check, "%s is %d MiB, but the container or the machine has %d MiB: the process would be killed before it refuses "+
			"sockets; write less, or auto", setMemoryLimit, limit>>20, there>>20)
	case limit < littleMemory:
		d.warn(check, "%d MiB is little: the process takes some 60 MiB and each socket some 10 KiB; give it more", limit>>20)
	default:
		d.ok(check, "%d MiB may be used; from 85 %% on new sockets are refused", limit>>20)
	}
}

// doorKinds are the doors, with what tells whether a running edge of ours answers there.
func (d *doctor) doorKinds() []struct {
	name, setting string
	ours          func(ctx context.Context, base *url.URL) bool
} {
	return []struct {
		name, setting string
		ours          func(ctx context.Context, base *url.URL) bool
	}{
		{"edge", setEdgeAddr, d.isEdgeDoor}, {"control", setControlAddr, isControlDoor}, {"ops", setOpsAddr, isOpsDoor},
	}
}

// examineDoors sees whether each door could be opened, by opening it for a moment.
func (d *doctor) examineDoors(ctx context.Context) {
	var taken []string // addresses of doors before
	for _, door := range d.doorKinds() {
		check, addr := door.name+" door", d.settings.text(door.setting)
		host, port, err := net.SplitHostPort(addr)
		if err != nil || checkAddr(addr) != nil {
			continue // That has been told.
		}
		if port == "0" {
			d.ok(check, "it takes any port that is free")
			continue
		}
		if other := clashes(taken, host, port); other != "" {
			d.fail(check, "%s is also the address of another door (%s); choose another with --%s-addr", addr, other, door.name)
			continue
		}
		taken = append(taken, addr)
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		switch {
		case err == nil:
			_ = l.Close() // Nothing was served through it.
			d.ok(check, "%s is free", addr)
		case errors.Is(err, syscall.EADDRINUSE) && door.ours(ctx, here(host, port)):
			d.ok(check, "%s is answered by an edge that runs", addr)
		case errors.Is(err, syscall.EADDRINUSE):
			d.fail(check, "something else listens on %s; stop it, or choose another address with --%s-addr", addr, door.name)
		case errors.Is(err, syscall.EACCES):
			d.fail(check, "%s may not be opened by this user: take a port from 1024 on with --%s-addr, or grant CAP_NET_BIND_SERVICE",
				addr, door.name)
		default:
			d.fail(check, "%s cannot be opened, choose an address of this machine with --%s-addr: %v", addr, door.name, err)
		}
	}
}

// clashes returns the address that an address could not be opened beside, or "".
func clashes(taken []string, host, port string) string {
	for _, other := range taken {
		if h, p, err := net.SplitHostPort(other); err == nil && p == port && (h == host || everywhere(h) || everywhere(host)) {
			return other
		}
	}
	return ""
}

func everywhere(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// here is where a door of this machine is reached.
func here(host, port string) *url.URL {
	if everywhere(host) {
		host = "localhost"
	}
	return &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}
}

// isEdgeDoor knows an edge by what it says to who asks for no WebSocket.
func (d *doctor) isEdgeDoor(ctx context.Context, base *url.URL) bool {
	at := base.JoinPath(d.settings.text(setEdgePathPrefix), "app", "doctor")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), http.NoBody)
	if err != nil {
		return false
	}
	resp, err := machineClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close() // Its head says it.
	return resp.StatusCode == http.StatusUpgradeRequired && strings.EqualFold(resp.Header.Get("Upgrade"), "websocket")
}

func isControlDoor(ctx context.Context, base *url.URL) bool {
	api := adminv1connect.NewPlatformServiceClient(machineClient, base.JoinPath(adminapi.Prefix).String())
	platform, err := api.GetPlatform(ctx, &adminv1.GetPlatformRequest{})
	return err == nil && platform.GetVersion() != ""
}

func isOpsDoor(ctx context.Context, base *url.URL) bool {
	_, err := opsClient{base}.readiness(ctx)
	return err == nil
}
