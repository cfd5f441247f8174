package adminapi

import (
	"testing"
	"time"

	"github.com/pealhq/peal/tenants"
)

func TestPermissionsConvertBothWays(t *testing.T) {
	for _, p := range append(tenants.RoleOwner.Permissions(), public, signedIn) {
		if back := permissionFromProto(permissionToProto(p)); back != p {
			t.Errorf("%q became %q", p, back)
		}
	}
}

func TestPageTokensConvertBothWays(t *testing.T) {
	app := &tenants.App{ID: "7", CreatedAt: time.UnixMicro(1_700_000_000_123_456)}
	page, err := pageFromToken(pageToken(app))
	if err != nil || page.ID != app.ID || !page.CreatedAt.Equal(app.CreatedAt) {
		t.Errorf("%+v became %+v, %v", app, page, err)
	}
	if page, err := pageFromToken(""); page != nil || err != nil {
		t.Errorf("the start of the list: %+v, %v", page, err)
	}
}

func TestNetwork(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.1":        "192.0.2.1",
		"2001:db8::1":      "2001:db8::/64",
		"2001:db8::ffff:1": "2001:db8::/64",
		"2001:db8:0:1::1":  "2001:db8:0:1::/64",
		"":                 "",
	} {
		if got := network(ip); got != want {
			t.Errorf("network of %q is %q, want %q", ip, got, want)
		}
	}
}

func TestKeyedLimitForgets(t *testing.T) {
	l := newKeyedLimit(1, 2)
	now := time.Now()
	for i := range 2 {
		if wait := l.take("a", now); wait != 0 {
			t.Errorf("take %d waits %v", i, wait)
		}
	}
	if wait := l.take("a", now); wait <= 0 || wait > time.Second {
		t.Errorf("the third waits %v", wait)
	}
	if wait := l.take("b", now); wait != 0 {
		t.Error("one key pays for another")
	}
	l.mu.Lock()
	l.forgetFull(now.Add(time.Hour))
	left := len(l.buckets)
	l.mu.Unlock()
	if left != 0 {
		t.Errorf("%d buckets are left after an hour", left)
	}
}
