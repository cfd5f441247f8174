package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// haproxy is a balancer that reads the configuration which we ship.
type haproxy struct {
	addr, control netip.AddrPort
	proc          *process
}

// NewHAProxy starts HAProxy with this configuration in front of two edges. Its log goes to a file in dir.
func NewHAProxy(ctx context.Context, config, dir string, edges ...*Edge) (Balancer, error) {
	if len(edges) != 2 {
		return nil, errors.New("the configuration of HAProxy is for two edges")
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	control, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	program, err := exec.LookPath("haproxy")
	if err != nil {
		return nil, fmt.Errorf("%w: scripts/need.sh haproxy=haproxy installs it", err)
	}
	env := []string{"PEAL_BIND=127.0.0.1", "PEAL_PORT=" + port, "PEAL_CONTROL=" + control}
	for i, e := range edges {
		_, ops, err := net.SplitHostPort(e.op)
		if err != nil {
			return nil, err
		}
		env = append(env, fmt.Sprintf("PEAL_EDGE_%d=%s", i+1, e.edge), fmt.Sprintf("PEAL_CONTROL_%d=%s", i+1, e.control),
			fmt.Sprintf("PEAL_OPS_%d=%s", i+1, ops))
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, "-db", "-f", config)
	cmd.Env = withoutSettings(env...)
	h := &haproxy{addr: netip.MustParseAddrPort("127.0.0.1:" + port), control: netip.MustParseAddrPort("127.0.0.1:" + control)}
	log := filepath.Join(dir, "haproxy.log")
	if h.proc, err = start("haproxy", log, cmd); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	err = eventually(ctx, "haproxy answers", func() bool {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", h.addr.String())
		if err != nil {
			return !h.proc.alive()
		}
		return conn.Close() == nil
	})
	if err == nil && !h.proc.alive() {
		said, _ := os.ReadFile(log)
		err = fmt.Errorf("haproxy has ended:\n%s", said)
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

func (h *haproxy) Addr() netip.AddrPort { return h.addr }

// Control is where people reach the dashboard.
func (h *haproxy) Control() netip.AddrPort { return h.control }

func (h *haproxy) Close() { h.proc.kill() }

// Dir is the folder of what the platform writes; it goes with the platform.
func (p *Platform) Dir() string { return p.dir }
