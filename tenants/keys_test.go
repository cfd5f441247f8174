package tenants_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/pealhq/peal/tenants"
)

func TestKeyScopes(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  tenants.KeyScopes
		text  string
	}{
		{nil, tenants.ScopeAll, "all"},
		{[]string{"all"}, tenants.ScopeAll, "all"},
		{[]string{"publish", "all"}, tenants.ScopeAll, "all"},
		{[]string{"query", "publish", "query"}, tenants.ScopePublish | tenants.ScopeQuery, "publish, query"},
		{[]string{"subscribe"}, tenants.ScopeSubscribe, "subscribe"},
	} {
		got, err := tenants.CheckKeyScopes("scopes", c.names)
		if err != nil || got != c.want || got.String() != c.text {
			t.Errorf("%q is %v, %v", c.names, got, err)
		}
		if again := tenants.ReadKeyScopes(got.Names()); again != got {
			t.Errorf("%v is read as %v", got, again)
		}
	}
	_, err := tenants.CheckKeyScopes("scopes", []string{"publish", "admin"})
	var f *tenants.FieldError
	if !errors.As(err, &f) || f.Field != "scopes[1]" || !strings.Contains(f.Reason, "publish, subscribe, query and all") {
		t.Errorf("an unknown scope: %v", err)
	}
	if got := tenants.ReadKeyScopes([]string{"admin", "query"}); got != tenants.ScopeQuery {
		t.Errorf("what a later version wrote is read as %v", got)
	}
}

// TestEveryScopeAllowsItselfAlone holds every set against every wish.
func TestEveryScopeAllowsItselfAlone(t *testing.T) {
	one := []tenants.KeyScopes{tenants.ScopePublish, tenants.ScopeSubscribe, tenants.ScopeQuery}
	for set := range tenants.KeyScopes(8) {
		for i, want := range one {
			k := tenants.Key{Public: "abc", Scopes: set}
			err := k.Need(want)
			if has := set&(1<<i) != 0; has != (err == nil) {
				t.Errorf("a key for %q may %s: %v", set, want, err)
			}
			if err != nil && (!strings.Contains(err.Error(), "needs "+want.String()) || !strings.Contains(err.Error(), "abc")) {
				t.Errorf("%v does not say what is wanted", err)
			}
			if all := (&tenants.Key{Scopes: tenants.ScopeAll}).Need(want); all != nil {
				t.Errorf("a key for everything may not %s: %v", want, all)
			}
		}
		if (&tenants.Key{Scopes: set}).Need(tenants.ScopeAll) == nil {
			t.Errorf("a key for %q is for everything", set)
		}
	}
}

func TestARetiringKeyWorksUntilItsDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		until := time.Now().Add(time.Hour)
		a := app("7", "chat", "new")
		a.Keys = append(a.Keys, tenants.Key{Public: "old", State: tenants.KeyRetiring, RetiresAt: until, Secret: tenants.NewSecret("s")},
			tenants.Key{Public: "gone", State: tenants.KeyRevoked})
		check := func(want bool) {
			t.Helper()
			if _, ok := a.Key("old"); ok != want {
				t.Errorf("%v before its date it works: %v", time.Until(until), ok)
			}
			if _, ok := a.Key("new"); !ok {
				t.Error("the other does not work")
			}
			if _, ok := a.Key("gone"); ok {
				t.Error("the revoked one works")
			}
		}
		check(true)
		if next := a.NextRetirement(time.Now()); !next.Equal(until) {
			t.Errorf("next is %v", next)
		}
		time.Sleep(time.Hour - time.Nanosecond)
		check(true)
		time.Sleep(time.Nanosecond)
		check(false)
		if next := a.NextRetirement(time.Now()); !next.IsZero() {
			t.Errorf("next is %v", next)
		}
		if k := a.Keys[1].At(time.Now()); k.State != tenants.KeyRevoked || !k.RevokedAt.Equal(until) || !k.RetiresAt.IsZero() {
			t.Errorf("it is told as %+v", k)
		}
		if k := a.Keys[1].At(until.Add(-1)); k.State != tenants.KeyRetiring || k.RevokedAt != (time.Time{}) {
			t.Errorf("before, it is told as %+v", k)
		}
	})
}

// TestACachedKeyRetiresWithoutItsLoader has the date come while the loader is away.
func TestACachedKeyRetiresWithoutItsLoader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		a := app("7", "chat", "new")
		a.Keys = append(a.Keys, tenants.Key{Public: "old", State: tenants.KeyRetiring, RetiresAt: time.Now().Add(3 * time.Minute)})
		s.put(a)
		c := tenants.NewCache(tenants.CacheConfig{Loader: s})
		for _, key := range []string{"old", "new"} {
			if _, err := c.ByKey(t.Context(), key); err != nil {
				t.Fatalf("%s: %v", key, err)
			}
		}
		s.setAway(true)
		time.Sleep(2 * time.Minute)
		if _, err := c.ByKey(t.Context(), "old"); err != nil {
			t.Errorf("before its date: %v", err)
		}
		time.Sleep(time.Minute)
		if _, err := c.ByKey(t.Context(), "old"); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("at its date: %v", err)
		}
		if _, err := c.ByKey(t.Context(), "new"); err != nil {
			t.Errorf("the other: %v", err)
		}
	})
}

func TestSigningKey(t *testing.T) {
	now := time.Now()
	key := func(public string, state tenants.KeyState, age, left time.Duration) tenants.Key {
		k := tenants.Key{Public: public, State: state, CreatedAt: now.Add(-age)}
		if state == tenants.KeyRetiring {
			k.RetiresAt = now.Add(left)
		}
		return k
	}
	const day = 24 * time.Hour
	for _, c := range []struct {
		name string
		keys []tenants.Key
		want string
	}{
		{"none", nil, ""},
		{"only revoked", []tenants.Key{key("a", tenants.KeyRevoked, day, 0)}, ""},
		{"the oldest", []tenants.Key{key("b", tenants.KeyActive, 1, 0), key("a", tenants.KeyActive, day, 0)}, "a"},
		{"the oldest active", []tenants.Key{key("a", tenants.KeyRetiring, 2*day, day), key("b", tenants.KeyActive, day, 0), key("c", tenants.KeyActive, 1, 0)}, "b"},
		{"the one that lasts", []tenants.Key{key("a", tenants.KeyRetiring, 2*day, 1*time.Hour), key("b", tenants.KeyRetiring, day, 2*time.Hour)}, "b"},
		{"none that lasts", []tenants.Key{key("a", tenants.KeyRetiring, 2*day, 0)}, ""},
		{"of one age the first", []tenants.Key{key("b", tenants.KeyActive, day, 0), key("a", tenants.KeyActive, day, 0)}, "a"},
	} {
		for range 2 {
			a := tenants.App{Keys: c.keys}
			if got, ok := a.SigningKey(); got.Public != c.want || ok != (c.want != "") {
				t.Errorf("%s: %q, %v", c.name, got.Public, ok)
			}
			slices.Reverse(c.keys)
		}
	}
}

func TestASealerOpensWhatEarlierKeysSealed(t *testing.T) {
	first, second, third := tenants.NewKeyEncryptionKey(), tenants.NewKeyEncryptionKey(), tenants.NewKeyEncryptionKey()
	old, err := tenants.NewSealer(first)
	if err != nil {
		t.Fatal(err)
	}
	both, err := tenants.NewSealer(second, first)
	if err != nil {
		t.Fatal(err)
	}
	tenant, k := uuid.New(), tenants.NewKey("7")
	sealed := old.Seal(tenant, k)
	if got, err := both.Open(tenant, k, sealed); err != nil || got != k.Secret {
		t.Errorf("what the earlier key sealed: %v", err)
	}
	fresh := both.Seal(tenant, k)
	if fresh.With != both.ID() || fresh.With == sealed.With {
		t.Errorf("it seals with %s", fresh.With)
	}
	if _, err := old.Open(tenant, k, fresh); !errors.Is(err, tenants.ErrKeyEncryptionKey) {
		t.Errorf("the earlier key opens what the later one sealed: %v", err)
	}
	// A row that says that it was sealed with another key than it was.
	lying := tenants.Sealed{Bytes: sealed.Bytes, With: both.ID()}
	if _, err := both.Open(tenant, k, lying); err == nil || errors.Is(err, tenants.ErrKeyEncryptionKey) {
		t.Errorf("a row that lies: %v", err)
	}
	other, _ := tenants.NewSealer(third)
	if _, err := other.Open(tenant, k, sealed); !errors.Is(err, tenants.ErrKeyEncryptionKey) || !strings.Contains(err.Error(), sealed.With) {
		t.Errorf("without its key: %v", err)
	}
	if ids := both.IDs(); len(ids) != 2 || !slices.Contains(ids, old.ID()) || !slices.Contains(ids, both.ID()) {
		t.Errorf("ids %v", ids)
	}
	text := both.SealText("seed|"+tenant.String(), tenants.NewSecret("JBSWY3DP"))
	if got, err := both.OpenText("seed|"+tenant.String(), text); err != nil || got.Reveal() != "JBSWY3DP" {
		t.Errorf("a text: %v", err)
	}
	if _, err := both.OpenText("seed|"+uuid.NewString(), text); err == nil {
		t.Error("a text opens elsewhere")
	}
	if s := fmt.Sprintf("%v %+v %#v", both.IDs(), first, second); strings.Contains(s, first.Encode()) || strings.Contains(s, second.Encode()) {
		t.Error("a key is printed")
	}
}
