// Command plain runs the server that Peal is compared with: plain -addr 127.0.0.1:0. It prints the address that it has,
// and serves until it is told to stop. It is for benchmarks and nothing else, so it listens on the loopback alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pealhq/peal/bench/plain"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "plain:", err)
		os.Exit(1)
	}
}

const headerTimeout = 10 * time.Second

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("plain", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:0", "address on the loopback")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", *addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("%s is not on the loopback", l.Addr()), l.Close())
	}
	// Its sockets were hijacked, so they end with the process.
	srv := &http.Server{Handler: plain.New(), ReadHeaderTimeout: headerTimeout}
	defer context.AfterFunc(ctx, func() { _ = srv.Close() })()
	fmt.Fprintln(stdout, l.Addr())
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
