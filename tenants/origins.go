package tenants

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// MaxOrigins bounds an app's list of origins.
	MaxOrigins = 100
	// maxOriginLength bounds one of them: a host name has at most 253 characters.
	maxOriginLength = 300
)

// Origins is a list of the origins whose pages may use an app: "https://example.com", with a port where it is
// not the scheme's own, or "https://*.example.com", where the star stands for exactly one label. It holds for WebSocket and for
// the HTTP fallbacks alike. It keeps other sites' pages out, not other programs: those say what they like.
type Origins []string

// Allow tells whether a page of this origin may come in. Who sends no origin is no browser and is always let in;
// "null", which sandboxed pages send, is only let in where there is no list.
func (o Origins) Allow(origin string) bool {
	if origin == "" || len(o) == 0 {
		return true
	}
	_, ok := o.Match(origin)
	return ok
}

// Match returns the first entry of the list that an origin fits.
func (o Origins) Match(origin string) (entry string, ok bool) {
	given, err := parseOrigin(origin)
	if err != nil || given.wild() {
		return "", false
	}
	for _, pattern := range o {
		if p, err := parseOrigin(pattern); err == nil && p.matches(given) {
			return pattern, true
		}
	}
	return "", false
}

// CheckOrigins returns the list as it is kept, in lower case and each once, or the first thing that is wrong with it.
func CheckOrigins(field string, list []string) (Origins, error) {
	if len(list) > MaxOrigins {
		return nil, Invalid(field, fmt.Sprintf("may have at most %d origins", MaxOrigins))
	}
	kept, seen := Origins{}, map[string]bool{}
	for i, text := range list {
		// Whoever copies an address from a browser copies the slash at its end too.
		p, err := parseOrigin(strings.TrimSuffix(strings.TrimSpace(text), "/"))
		if err != nil {
			return nil, Invalid(fmt.Sprintf("%s[%d]", field, i), err.Error())
		}
		if o := p.String(); !seen[o] {
			seen[o] = true
			kept = append(kept, o)
		}
	}
	return kept, nil
}

// CheckOrigin tells what keeps a text from being the origin of a page, or returns it as browsers write it. "null" is
// one.
func CheckOrigin(field, text string) (string, error) {
	text = strings.TrimSuffix(strings.TrimSpace(text), "/")
	if text == "null" {
		return text, nil
	}
	o, err := parseOrigin(text)
	if err != nil {
		return "", Invalid(field, err.Error())
	}
	if o.wild() {
		return "", Invalid(field, "must be the origin of one page, without a star")
	}
	return o.String(), nil
}

// origin is a parsed origin or pattern of one. An IPv6 address stands in host without its brackets.
type origin struct{ scheme, host, port string }

func (o origin) String() string {
	host := o.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if o.port != "" {
		host += ":" + o.port
	}
	return o.scheme + "://" + host
}

func (o origin) wild() bool { return strings.HasPrefix(o.host, "*.") }

func (o origin) matches(given origin) bool {
	if o.scheme != given.scheme || o.port != given.port {
		return false
	}
	if !o.wild() {
		return o.host == given.host
	}
	label, ok := strings.CutSuffix(given.host, o.host[1:])
	return ok && label != "" && !strings.Contains(label, ".")
}

// isScheme and isHost are loops and no regular expressions, because every connection is held against the whole list.
func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter, rest := c >= 'a' && c <= 'z', c >= '0' && c <= '9' || c == '+' || c == '.' || c == '-'
		if !letter && (i == 0 || !rest) {
			return false
		}
	}
	return s != ""
}

// isHost tells whether s is a name's labels, with the dot at its end that some write. Browsers send names outside of
// ASCII as xn--….
func isHost(s string) bool {
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
				return false
			}
		}
	}
	return true
}

// parseOrigin reads an origin, which has a scheme and a host and nothing after them. The scheme's own port is left
// out, as browsers do. It is stricter than a parser of URLs, so that no text can mean one host here and another in a
// browser.
func parseOrigin(text string) (origin, error) {
	if len(text) > maxOriginLength {
		return origin{}, fmt.Errorf("is too long; %d characters at most", maxOriginLength)
	}
	// Outside of ASCII there are letters whose lower case is inside, such as the sign of the kelvin.
	if strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return origin{}, fmt.Errorf("%q %w", text, errHost)
	}
	scheme, rest, ok := strings.Cut(strings.ToLower(text), "://")
	if !ok || !isScheme(scheme) || rest == "" {
		return origin{}, fmt.Errorf("%q is not an origin; write it as https://example.com or https://*.example.com", text)
	}
	if strings.ContainsAny(rest, "/?#@\\") {
		return origin{}, fmt.Errorf("%q says more than an origin does; leave out what comes before or after the host", text)
	}
	host, port, err := splitPort(rest)
	if err != nil {
		return origin{}, fmt.Errorf("%q %w", text, err)
	}
	if (scheme == "http" && port == "80") || (scheme == "https" && port == "443") {
		port = ""
	}
	if host, err = checkHost(host); err != nil {
		return origin{}, fmt.Errorf("%q %w", text, err)
	}
	return origin{scheme: scheme, host: host, port: port}, nil
}

// splitPort splits "host", "host:port", "[address]" and "[address]:port". The brackets stay.
func splitPort(text string) (host, port string, err error) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 || strings.HasSuffix(text, "]") {
		return text, "", nil
	}
	host, port = text[:i], text[i+1:]
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || port[0] == '0' {
		return "", "", errPort
	}
	return host, port, nil
}

func checkHost(host string) (string, error) {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		ip, err := netip.ParseAddr(inner)
		if err != nil || !closed || !ip.Is6() || ip.Zone() != "" {
			return "", errAddress
		}
		return ip.String(), nil
	}
	name, wild := strings.CutPrefix(host, "*.")
	switch {
	case strings.Contains(name, "*"), wild && !strings.Contains(strings.Trim(name, "."), "."):
		return "", errStar
	case !isHost(name):
		return "", errHost
	}
	return host, nil
}
