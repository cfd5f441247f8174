package session_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// withKeys gives the edge's app these keys besides its own, all with the demo secret.
func (e *edge) withKeys(keys ...tenants.Key) {
	app := *e.app
	app.Keys = append([]tenants.Key{}, e.app.Keys...)
	for _, k := range keys {
		k.Secret = tenants.NewSecret(demoSecret)
		if k.State == "" {
			k.State = tenants.KeyActive
		}
		app.Keys = append(app.Keys, k)
	}
	e.app = &app
	e.apps.set(e.app)
}

// enter opens a conversation with a key.
func (e *edge) enter(key string) (*session.Session, *carrier, *session.Ending) {
	e.t.Helper()
	g, end := e.registry.Admit(context.Background(), session.Visitor{Key: key, Query: url.Values{}})
	if end != nil {
		return nil, nil, end
	}
	c := &carrier{id: session.NewSocketID()}
	s := e.registry.New(g, c)
	e.t.Cleanup(func() { s.Close(context.Background()) })
	return s, c, s.Open(context.Background())
}

func TestSocketsNeedTheScopeSubscribe(t *testing.T) {
	t.Parallel()
	for set := range tenants.KeyScopes(8) {
		e := newEdge(t)
		e.withKeys(tenants.Key{Public: "scoped", Scopes: set})
		_, _, end := e.enter("scoped")
		if allowed := set.Allow(tenants.ScopeSubscribe); allowed != (end == nil) {
			t.Errorf("a key for %q opens a socket: %v", set, end)
		}
		if end != nil && (end.Code != pusher.CloseUnauthorized || !strings.Contains(end.Text, "scope subscribe")) {
			t.Errorf("refused with %v", end)
		}

		// The client came with another key, and its server signs with this one.
		s, socket := e.open("js")
		as := func(data map[string]string) map[string]string {
			data["auth"] = "scoped" + strings.TrimPrefix(data["auth"], demoKey)
			return data
		}
		for what, frame := range map[string][]byte{
			"private":  frameOf("pusher:subscribe", as(map[string]string{"channel": "private-a", "auth": signed(socket.id, "private-a")})),
			"presence": frameOf("pusher:subscribe", as(map[string]string{"channel": "presence-a", "channel_data": member("7"), "auth": signed(socket.id, "presence-a", member("7"))})),
			"sign-in":  frameOf("pusher:signin", as(map[string]string{"user_data": `{"id":"7"}`, "auth": signed(socket.id, ":user:", `{"id":"7"}`)})),
		} {
			s.Handle(t.Context(), frame)
			got := strings.Join(socket.take(), "\n")
			switch refused := strings.Contains(got, "needs subscribe"); {
			case refused == set.Allow(tenants.ScopeSubscribe):
				t.Errorf("%s signed with a key for %q: %s", what, set, got)
			case refused && what != "sign-in" && !strings.Contains(got, "403"):
				t.Errorf("%s signed with a key for %q: %s", what, set, got)
			}
		}
		if socket.ended() != nil {
			t.Errorf("the socket was closed: %v", socket.ended())
		}

		// Who does not have the secret learns nothing of the key.
		s.Handle(t.Context(), frameOf("pusher:subscribe", map[string]string{"channel": "private-b", "auth": "scoped:" + strings.Repeat("0", 64)}))
		if got := strings.Join(socket.take(), "\n"); !strings.Contains(got, "Invalid signature") {
			t.Errorf("a wrong signature: %s", got)
		}
	}
}

// TestAKeyRetiresUnderOpenSockets: at its date its sockets are closed and no others, also when the control plane is away.
func TestAKeyRetiresUnderOpenSockets(t *testing.T) {
	for _, lag := range []time.Duration{time.Second, 90 * time.Minute, 20 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			e := newEdge(t)
			until := time.Now().Add(lag)
			e.withKeys(tenants.Key{Public: "old", Scopes: tenants.ScopeAll, State: tenants.KeyRetiring, RetiresAt: until},
				tenants.Key{Public: "later", Scopes: tenants.ScopeAll, State: tenants.KeyRetiring, RetiresAt: until.Add(time.Hour)})
			e.run(e.registry.Run)
			sockets := map[string]*carrier{}
			for _, key := range []string{"old", "later", demoKey} {
				_, c, end := e.enter(key)
				if end != nil {
					t.Fatalf("%s: %v", key, end)
				}
				sockets[key] = c
			}
			time.Sleep(time.Until(until) - time.Millisecond)
			synctest.Wait()
			for key, c := range sockets {
				if end := c.ended(); end != nil {
					t.Errorf("%s was closed early: %v", key, end)
				}
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			for key, c := range sockets {
				end := c.ended()
				if (end != nil) != (key == "old") || end != nil && end.Code != pusher.CloseUnknownApp {
					t.Errorf("%s: %v", key, end)
				}
			}
			if _, _, end := e.enter("old"); end == nil || end.Code != pusher.CloseUnknownApp {
				t.Errorf("it lets in: %v", end)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if end := sockets["later"].ended(); end == nil {
				t.Error("the later one is open after its date")
			}
			if end := sockets[demoKey].ended(); end != nil {
				t.Errorf("the one that stays was closed: %v", end)
			}
		})
	}
}

// TestAKeyThatIsKept stays past the date that it had.
func TestAKeyThatIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		e.run(e.registry.Run)
		before := e.app
		e.withKeys(tenants.Key{Public: "old", Scopes: tenants.ScopeAll, State: tenants.KeyRetiring, RetiresAt: time.Now().Add(time.Hour)})
		_, c, end := e.enter("old")
		if end != nil {
			t.Fatal(end)
		}
		e.app = before
		e.withKeys(tenants.Key{Public: "old", Scopes: tenants.ScopeAll})
		e.registry.Recheck(t.Context(), "1")
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if end := c.ended(); end != nil {
			t.Errorf("closed with %v", end)
		}
		// And one that is to retire earlier than it was.
		e.app = before
		e.withKeys(tenants.Key{Public: "old", Scopes: tenants.ScopeAll, State: tenants.KeyRetiring, RetiresAt: time.Now().Add(time.Minute)})
		e.registry.Recheck(t.Context(), "1")
		time.Sleep(time.Minute)
		synctest.Wait()
		if c.ended() == nil {
			t.Error("still open")
		}
	})
}

func TestUsesOfKeysAreNoted(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	opens, signs, idle := new(tenants.KeyUse), new(tenants.KeyUse), new(tenants.KeyUse)
	e.withKeys(tenants.Key{Public: "opens", Scopes: tenants.ScopeAll, Use: opens}, tenants.Key{Public: "signs", Scopes: tenants.ScopeAll, Use: signs},
		tenants.Key{Public: "idle", Scopes: tenants.ScopePublish, Use: idle})
	s, socket, end := e.enter("opens")
	if end != nil {
		t.Fatal(end)
	}
	s.Handle(t.Context(), frameOf("pusher:subscribe", map[string]string{
		"channel": "private-a", "auth": "signs" + strings.TrimPrefix(signed(socket.id, "private-a"), demoKey),
	}))
	if _, _, end := e.enter("idle"); end == nil {
		t.Error("a key for publishing opened a socket")
	}
	e.registry.RecheckAll(t.Context())
	never := new(tenants.KeyUse)
	for name, use := range map[string]*tenants.KeyUse{"opens": opens, "signs": signs} {
		if use.Last().IsZero() {
			t.Errorf("%s was not used", name)
		}
	}
	if !idle.Last().IsZero() || !never.Last().IsZero() {
		t.Error("a key that was refused was used")
	}
}
