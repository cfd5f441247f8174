package tenants

import (
	"fmt"
	"net/url"
	"strings"
)

// MaxOrigins bounds an app's list of origins.
const MaxOrigins = 100

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
	given, err := parseOrigin(origin)
	if err != nil || strings.Contains(origin, "*") {
		return false
	}
	for _, pattern := range o {
		if p, err := parseOrigin(pattern); err == nil && p.matches(given) {
			return true
		}
	}
	return false
}

// CheckOrigins returns the list as it is kept, in lower case and each once, or the first thing that is wrong with it.
func CheckOrigins(field string, list []string) (Origins, error) {
	if len(list) > MaxOrigins {
		return nil, Invalid(field, fmt.Sprintf("may have at most %d origins", MaxOrigins))
	}
	kept, seen := Origins{}, map[string]bool{}
	for i, text := range list {
		p, err := parseOrigin(strings.TrimSpace(text))
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

// origin is a parsed origin or pattern of one.
type origin struct{ scheme, host, port string }

func (o origin) String() string {
	host := o.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]" // an IPv6 address
	}
	if o.port != "" {
		host += ":" + o.port
	}
	return o.scheme + "://" + host
}

func (o origin) matches(given origin) bool {
	if o.scheme != given.scheme || o.port != given.port {
		return false
	}
	suffix, wild := strings.CutPrefix(o.host, "*")
	if !wild {
		return o.host == given.host
	}
	label, ok := strings.CutSuffix(given.host, suffix)
	return ok && label != "" && !strings.Contains(label, ".")
}

// parseOrigin reads an origin, which has a scheme and a host and nothing after them. The scheme's own port is left
// out, as browsers do.
func parseOrigin(text string) (origin, error) {
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Scheme == "" || u.Host == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" ||
		u.ForceQuery || strings.Contains(text, "#") || u.Path != "" {
		return origin{}, fmt.Errorf("%q is no origin; write it as https://example.com or https://*.example.com", text)
	}
	o := origin{scheme: u.Scheme, host: u.Hostname(), port: u.Port()}
	if (o.scheme == "http" && o.port == "80") || (o.scheme == "https" && o.port == "443") {
		o.port = ""
	}
	rest, wild := strings.CutPrefix(o.host, "*.")
	if strings.Contains(rest, "*") || rest == "" || (wild && !strings.Contains(rest, ".")) {
		return origin{}, fmt.Errorf("%q has a star in a place where none may be; it stands for the first label of a longer name, as in https://*.example.com", text)
	}
	return o, nil
}
