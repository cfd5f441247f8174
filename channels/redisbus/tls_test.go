package redisbus

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/channels/bustest"
	"github.com/pealhq/peal/internal/testenv"
)

// relay passes what it accepts on to a Redis, and what that answers back through change, where there is one. It returns
// its own address.
func relay(t testing.TB, l net.Listener, url string, change func([]byte)) string {
	t.Helper()
	_, through := newProxy(t, url)
	to := strings.TrimPrefix(through, "redis://")
	var running sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn // guarded by mu
	running.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			mu.Lock()
			open = append(open, client, server)
			mu.Unlock()
			running.Go(func() { _, _ = io.Copy(server, client); _ = server.Close() })
			running.Go(func() { _, _ = io.Copy(client, changing{server, change}); _ = client.Close() })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return l.Addr().String()
}

// changing reads with a change. It is made in place and piece by piece, which is enough for answers that are short.
type changing struct {
	io.Reader
	change func([]byte)
}

func (c changing) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.change != nil {
		c.change(p[:n])
	}
	return n, err
}

// certified returns the settings of a server and those of a client that trusts it.
func certified(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: trusted}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestOverTLS(t *testing.T) {
	t.Parallel()
	shared, _ := testenv.Redis(t)
	server, client := certified(t)
	url := "rediss://" + relay(t, tls.NewListener(listen(t), server), shared, nil)
	t.Run("bus", func(t *testing.T) {
		t.Parallel()
		bustest.Run(t, func(t *testing.T) channels.Bus {
			_, prefix := testenv.Redis(t)
			return newBusAt(t, url, prefix, func(c *Config) { c.TLS = client })
		})
	})
	t.Run("a certificate that nobody vouches for", func(t *testing.T) {
		t.Parallel()
		_, err := newBusAt(t, url, "t:", nil).Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), "give its certificate") {
			t.Errorf("got %v", err)
		}
	})
}

// TestAnOldVersion: a server of today that says it is one of yesterday.
func TestAnOldVersion(t *testing.T) {
	t.Parallel()
	shared, prefix := testenv.Redis(t)
	at := relay(t, listen(t), shared, func(p []byte) {
		name := []byte("redis_version:")
		if i := bytes.Index(p, name); i >= 0 && i+len(name) < len(p) {
			p[i+len(name)] = '6'
		}
	})
	b := newBusAt(t, "redis://"+at, prefix, nil)
	_, err := b.Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "this is Redis 6.") || !strings.Contains(err.Error(), "needs 7.0 or later") || errors.Is(err, channels.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if err := b.Run(t.Context(), func(channels.Message) {}); err == nil || !strings.Contains(err.Error(), "needs 7.0") {
		t.Errorf("Run: %v", err)
	}
}
