package mail

import (
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strconv"
)

// Server is where a mail server is, how to reach it, and as whom. However it is printed, its password is not in it.
type Server struct {
	host string
	port int
	// implicit is TLS from the first byte; else the connection begins in the clear and must go on with STARTTLS.
	implicit bool
	// clear is no TLS at all.
	clear          bool
	user, password string
}

// The ports of submission (RFC 6409 and RFC 8314).
const (
	portSTARTTLS = 587
	portTLS      = 465
)

// ParseServer reads smtp://user:password@host:port, which must offer STARTTLS, or smtps://, which is TLS from the start.
// smtp://host?tls=off is a relay next door without TLS, and then without a password. The errors do not hold the text.
func ParseServer(text string) (Server, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Hostname() == "" {
		return Server{}, errors.New("is not the URL of a mail server; it reads like smtp://user:password@host:587 or smtps://user:password@host, " +
			"with what is special in a password written as in any URL (%40 for @)")
	}
	if (u.Path != "" && u.Path != "/") || u.Fragment != "" {
		return Server{}, errors.New("must be scheme, user, password, host and port only")
	}
	s := Server{host: u.Hostname(), port: portSTARTTLS, implicit: u.Scheme == "smtps", user: u.User.Username()}
	s.password, _ = u.User.Password()
	if s.implicit {
		s.port = portTLS
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port < 1 || s.port > 65535 {
			return Server{}, errors.New("has no port between 1 and 65535")
		}
	}
	if (s.user == "") != (s.password == "") {
		return Server{}, errors.New("needs user and password both, or neither")
	}
	query := u.Query()
	s.clear = query.Get("tls") == "off"
	query.Del("tls")
	switch {
	case len(query) > 0, u.Query().Has("tls") && !s.clear:
		return Server{}, errors.New("has a parameter that is not known; there is only tls=off")
	case s.clear && s.implicit:
		return Server{}, errors.New("cannot have TLS from the start and tls=off")
	case s.clear && s.user != "":
		return Server{}, errors.New("must not send a password without TLS; leave tls=off out")
	}
	return s, nil
}

// String tells the address without user and password.
func (s Server) String() string {
	scheme := "smtp"
	if s.implicit {
		scheme = "smtps"
	}
	return scheme + "://" + net.JoinHostPort(s.host, strconv.Itoa(s.port))
}

// GoString keeps the password out of %#v.
func (s Server) GoString() string { return s.String() }

// LogValue keeps the password out of logs.
func (s Server) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps the password out of JSON and YAML.
func (s Server) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
