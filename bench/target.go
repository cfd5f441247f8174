package bench

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pealhq/peal/bench/wire"
)

// Target is a server to measure.
type Target struct {
	Name string
	// Host is host:port as it was given, for the Host header.
	Host string
	// Addr is where it publishes, and where its sockets are unless SubscribeAt says otherwise.
	Addr netip.AddrPort
	// SubscribeAt is another node of the same cluster.
	SubscribeAt netip.AddrPort
	// PIDs are its processes on this machine, whose CPU and memory are read; none when they are not known.
	PIDs []int
	App  wire.Credentials
}

// sockets is where the target's sockets are opened.
func (t Target) sockets() netip.AddrPort {
	if t.SubscribeAt.IsValid() {
		return t.SubscribeAt
	}
	return t.Addr
}

// ParseTarget reads [name=]host:port[,pid=N]…[,subscribe=host:port][,app-id=ID][,key=KEY][,secret=SECRET]. What it leaves
// out of the credentials is taken from app.
func ParseTarget(ctx context.Context, text string, app wire.Credentials, allowRemote bool) (Target, error) {
	fields := strings.Split(text, ",")
	t := Target{App: app, Host: fields[0]}
	if name, host, named := strings.Cut(fields[0], "="); named {
		t.Name, t.Host = name, host
	}
	if t.Name == "" {
		t.Name = t.Host
	}
	var err error
	if t.Addr, err = resolve(ctx, t.Host, allowRemote); err != nil {
		return t, err
	}
	for _, field := range fields[1:] {
		key, value, _ := strings.Cut(field, "=")
		if err := t.set(ctx, key, value, allowRemote); err != nil {
			return t, err
		}
	}
	for flag, value := range map[string]string{"app-id": t.App.AppID, "key": t.App.Key, "secret": t.App.Secret} {
		if strings.ContainsAny(value, " \t\r\n\"\\&?#/") {
			return t, &InvalidError{flag, "holds a character that no identifier has"}
		}
	}
	return t, nil
}

func (t *Target) set(ctx context.Context, key, value string, allowRemote bool) (err error) {
	switch key {
	case "pid":
		pid, err := strconv.Atoi(value)
		if err != nil || pid <= 0 {
			return &InvalidError{"target", fmt.Sprintf("%s: pid=%s is no process number", t.Name, value)}
		}
		t.PIDs = append(t.PIDs, pid)
	case "subscribe":
		t.SubscribeAt, err = resolve(ctx, value, allowRemote)
	case "app-id":
		t.App.AppID = value
	case "key":
		t.App.Key = value
	case "secret":
		t.App.Secret = value
	default:
		return &InvalidError{"target", fmt.Sprintf("%s: there is no option %q; there are pid, subscribe, app-id, key and secret", t.Name, key)}
	}
	return err
}

// resolve looks a host up, and refuses what is not this machine unless that was asked for: a load generator pointed
// at somebody else's server is an attack on it.
func resolve(ctx context.Context, hostport string, allowRemote bool) (netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(hostport)
	if err != nil {
		return netip.AddrPort{}, &InvalidError{"target", fmt.Sprintf("%q is not host:port", hostport)}
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return netip.AddrPort{}, &InvalidError{"target", fmt.Sprintf("%q has no port between 1 and 65535", hostport)}
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("look up the target %s: %w", host, err)
	}
	// The first address is the one that is used, so it is the one that counts; IPv4 is preferred, for its many local addresses.
	addr := addrs[0].Unmap()
	for _, a := range addrs {
		if a = a.Unmap(); a.Is4() {
			addr = a
			break
		}
	}
	if !addr.IsLoopback() && !allowRemote {
		return netip.AddrPort{}, &InvalidError{"target", fmt.Sprintf("%s is %s, which is not this machine; add --allow-remote if that "+
			"server is yours to load", hostport, addr)}
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}
