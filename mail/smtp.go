package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// smtpTimeout bounds each step of a conversation with a mail server.
const smtpTimeout = 20 * time.Second

// SMTPConfig is what an [SMTP] needs.
type SMTPConfig struct {
	Server Server
	// From is the sender, such as "Peal <peal@example.com>". See [ParseFrom].
	From string
	// Roots are who may sign the server's certificate; nil is whom the system trusts.
	Roots *x509.CertPool
}

// SMTP sends mail through a mail server, in one conversation for each. Its methods may be called at once.
type SMTP struct {
	server  Server
	from    *netmail.Address
	options []gomail.Option
}

// ParseFrom reads an address with or without a name.
func ParseFrom(text string) (*netmail.Address, error) {
	a, err := netmail.ParseAddress(text)
	if err != nil {
		return nil, errors.New("is not a sender; it reads like peal@example.com or Peal <peal@example.com>")
	}
	return a, nil
}

// NewSMTP returns a sender. It connects to nothing before there is a mail.
func NewSMTP(cfg SMTPConfig) (*SMTP, error) {
	from, err := ParseFrom(cfg.From)
	if err != nil {
		return nil, fmt.Errorf("the sender of mail %w", err)
	}
	s := &SMTP{server: cfg.Server, from: from}
	s.options = []gomail.Option{
		gomail.WithPort(cfg.Server.port),
		gomail.WithTimeout(smtpTimeout),
		gomail.WithTLSConfig(&tls.Config{ServerName: cfg.Server.host, RootCAs: cfg.Roots, MinVersion: tls.VersionTLS12}),
		gomail.WithoutNoop(),
	}
	switch {
	case cfg.Server.implicit:
		s.options = append(s.options, gomail.WithSSL())
	case cfg.Server.clear:
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if cfg.Server.user != "" {
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(cfg.Server.user), gomail.WithPassword(cfg.Server.password))
	}
	if _, err := s.client(); err != nil {
		return nil, err
	}
	return s, nil
}

// client returns one for a conversation. What could be wrong with its options is found by [NewSMTP].
func (s *SMTP) client(options ...gomail.Option) (*gomail.Client, error) {
	c, err := gomail.NewClient(s.server.host, append(slices.Clip(s.options), options...)...)
	if err != nil {
		return nil, fmt.Errorf("set up mail by %s: %w", s.server, err)
	}
	return c, nil
}

// begin begins a conversation: TLS, user and password are behind it.
func (s *SMTP) begin(ctx context.Context) (*gomail.Client, *smtp.Client, error) {
	var conn net.Conn
	var options []gomail.Option
	if !s.server.implicit { // Where TLS comes first, the library must dial to know of it; its own limit on time ends the connection.
		options = append(options, gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (_ net.Conn, err error) {
			conn, err = new(net.Dialer).DialContext(ctx, network, address)
			return conn, err
		}))
	}
	c, err := s.client(options...)
	if err != nil {
		return nil, nil, err
	}
	conversation, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		if conn != nil {
			conn.Close() //nolint:errcheck // The library leaves it open, and what went wrong is known.
		}
		return nil, nil, fmt.Errorf("reach %s: %w", s.server, err)
	}
	return c, conversation, nil
}

// Send implements [Sender].
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg, err := s.compose(m)
	if err != nil {
		return err
	}
	c, conversation, err := s.begin(ctx)
	if err != nil {
		return err
	}
	err = c.SendWithSMTPClient(conversation, msg)
	if err != nil {
		conversation.Close() //nolint:errcheck // What went wrong is known.
		return fmt.Errorf("send by %s: %w", s.server, refusal(err))
	}
	// The server has the mail. A farewell that fails would have it sent twice.
	if err := c.CloseWithSMTPClient(conversation); err != nil {
		conversation.Close() //nolint:errcheck // The same.
	}
	return nil
}

// refusal marks what no other try will change: the server knows no such recipient, or will not have such a text.
func refusal(err error) error {
	var send *gomail.SendError
	if !errors.As(err, &send) || send.IsTemp() || send.ErrorCode() < 500 {
		return err
	}
	switch send.Reason { //nolint:exhaustive // All others are of the way there, or of our settings, which may be mended.
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	default:
		return err
	}
}

func (s *SMTP) compose(m Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	msg.FromMailAddress(s.from)
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("%w: the address of the recipient cannot be read", ErrRefused)
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	_, domain, _ := strings.Cut(s.from.Address, "@")
	msg.SetMessageIDWithValue(m.ID + "@" + domain)
	// Nobody's "I am on holiday" is wanted (RFC 3834).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	return msg, nil
}

// Check tells whether the server answers, speaks TLS as was asked, and takes user and password. It sends nothing.
func (s *SMTP) Check(ctx context.Context) error {
	c, conversation, err := s.begin(ctx)
	if err != nil {
		return err
	}
	if err := c.CloseWithSMTPClient(conversation); err != nil {
		return fmt.Errorf("take leave of %s: %w", s.server, err)
	}
	return nil
}
