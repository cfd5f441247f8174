package mail_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// mailServer is a small mail server: as much of RFC 5321 as a submission needs.
type mailServer struct {
	t        *testing.T
	listener net.Listener
	cert     tls.Certificate
	roots    *x509.CertPool
	done     sync.WaitGroup

	// How it behaves; set before the first connection.
	noSTARTTLS     bool
	implicit       bool
	user, password string
	rcpt           string // its answer to a recipient, when it is not 250
	data           string // its answer to a text, when it is not 250

	mu     sync.Mutex
	got    []received // guarded by mu
	leaked []string   // commands that held the password without TLS; guarded by mu
}

type received struct {
	from, to, text string
	tls, auth      bool
}

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	s := &mailServer{t: t}
	s.cert, s.roots = certificate(t, "127.0.0.1")
	return s
}

// start listens and returns its address.
func (s *mailServer) start() string {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	if s.implicit {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{s.cert}})
	}
	s.listener = l
	s.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.done.Go(func() { s.converse(c, s.implicit) })
		}
	})
	s.t.Cleanup(func() {
		l.Close()
		s.done.Wait()
	})
	return l.Addr().String()
}

func (s *mailServer) mails() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *mailServer) converse(c net.Conn, secure bool) {
	defer func() { c.Close() }()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(c)
	say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) }
	say("220 test ESMTP")
	now := received{tls: secure}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			say("250-test")
			if !now.tls && !s.noSTARTTLS {
				say("250-STARTTLS")
			}
			if s.user != "" {
				say("250-AUTH PLAIN LOGIN")
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go on")
			t := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{s.cert}})
			if t.Handshake() != nil {
				return
			}
			c, r, now.tls = t, bufio.NewReader(t), true
		case "AUTH":
			if !now.tls {
				s.mu.Lock()
				s.leaked = append(s.leaked, line)
				s.mu.Unlock()
			}
			_, text, _ := strings.Cut(rest, " ")
			plain, _ := base64.StdEncoding.DecodeString(text)
			if string(plain) != "\x00"+s.user+"\x00"+s.password {
				say("535 wrong")
				continue
			}
			now.auth = true
			say("235 come in")
		case "MAIL":
			if s.user != "" && !now.auth {
				say("530 who are you")
				continue
			}
			now.from = address(rest)
			say("250 ok")
		case "RCPT":
			if s.rcpt != "" {
				say(s.rcpt)
				continue
			}
			now.to = address(rest)
			say("250 ok")
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for {
				l, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				text.WriteString(strings.TrimPrefix(l, "."))
			}
			if s.data != "" {
				say(s.data)
				continue
			}
			now.text = text.String()
			s.mu.Lock()
			s.got = append(s.got, now)
			s.mu.Unlock()
			say("250 queued")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func address(rest string) string {
	_, rest, _ = strings.Cut(rest, "<")
	a, _, _ := strings.Cut(rest, ">")
	return a
}

// certificate returns one for a host, and who trusts it.
func certificate(t *testing.T, host string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(host)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
