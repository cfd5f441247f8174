package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// TestAdmit tries who may come in to an app with this key.
func TestAdmit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		change  func(*tenants.App)
		visitor session.Visitor
		want    pusher.CloseCode // 0 for who is let in
	}{
		{name: "anybody"},
		{name: "unknown key", visitor: session.Visitor{Key: "nokey"}, want: pusher.CloseUnknownApp},
		{name: "protocol 4", visitor: session.Visitor{Query: url.Values{"protocol": {"4"}}}},
		{name: "protocol 7", visitor: session.Visitor{Query: url.Values{"protocol": {"7"}}}},
		{name: "protocol 3", visitor: session.Visitor{Query: url.Values{"protocol": {"3"}}}, want: pusher.CloseUnsupportedVersion},
		{name: "protocol 8", visitor: session.Visitor{Query: url.Values{"protocol": {"8"}}}, want: pusher.CloseUnsupportedVersion},
		{name: "protocol of words", visitor: session.Visitor{Query: url.Values{"protocol": {"seven"}}}, want: pusher.CloseInvalidVersion},
		{name: "empty protocol", visitor: session.Visitor{Query: url.Values{"protocol": {""}}}, want: pusher.CloseNoVersion},
		{name: "any client and version", visitor: session.Visitor{Query: url.Values{"client": {"é💥"}, "version": {"x"}, "flash": {"true"}, "other": {"1"}}}},
		{name: "disabled", change: func(a *tenants.App) { a.Enabled = false }, want: pusher.CloseAppDisabled},
		{name: "TLS only, without", change: func(a *tenants.App) { a.Features.TLSOnly = true }, want: pusher.CloseTLSOnly},
		{name: "TLS only, with", change: func(a *tenants.App) { a.Features.TLSOnly = true }, visitor: session.Visitor{TLS: true}},
		{name: "origin that is allowed", change: allowExample, visitor: session.Visitor{Origin: "https://app.example.com"}},
		{name: "no origin", change: allowExample},
		{name: "origin that is not", change: allowExample, visitor: session.Visitor{Origin: "https://evil-example.com"}, want: pusher.CloseUnauthorized},
		{name: "origin null", change: allowExample, visitor: session.Visitor{Origin: "null"}, want: pusher.CloseUnauthorized},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newEdge(t)
			if c.change != nil {
				c.change(e.app)
			}
			if c.visitor.Key == "" {
				c.visitor.Key = demoKey
			}
			g, end := e.registry.Admit(t.Context(), c.visitor)
			switch {
			case c.want == 0 && (end != nil || g.App != e.app):
				t.Errorf("not let in: %v", end)
			case c.want != 0 && (end == nil || end.Code != c.want || end.Text == ""):
				t.Errorf("got %v, want %d", end, c.want)
			}
		})
	}
}

func allowExample(a *tenants.App) { a.Origins = tenants.Origins{"https://*.example.com"} }

func TestVisitorOf(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/app/key?protocol=7&client=js", http.NoBody)
	r.Header.Set("Origin", "https://example.com")
	v := session.VisitorOf(r, "key")
	if v.Key != "key" || v.Origin != "https://example.com" || v.TLS || v.Query.Get("client") != "js" {
		t.Errorf("%+v", v)
	}
	for proto, want := range map[string]bool{"HTTPS": true, "wss": true, "http": false, "ws": false, "https,http": false} {
		r.Header.Set("X-Forwarded-Proto", proto)
		if v := session.VisitorOf(r, "key"); v.TLS != want {
			t.Errorf("%s is taken for TLS: %v", proto, v.TLS)
		}
	}
}

// TestRecheck changes an app under open conversations.
func TestRecheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*tenants.App)
		want   pusher.CloseCode
	}{
		"renamed":         {func(a *tenants.App) { a.Name = "x" }, 0},
		"disabled":        {func(a *tenants.App) { a.Enabled = false }, pusher.CloseAppDisabled},
		"key revoked":     {func(a *tenants.App) { a.Keys = nil }, pusher.CloseUnknownApp},
		"TLS only":        {func(a *tenants.App) { a.Features.TLSOnly = true }, pusher.CloseTLSOnly},
		"other origins":   {func(a *tenants.App) { a.Origins = tenants.Origins{"https://other.example"} }, pusher.CloseUnauthorized},
		"the same origin": {func(a *tenants.App) { a.Origins = tenants.Origins{"https://example.com"} }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEdge(t)
			c1 := &carrier{id: session.NewSocketID()}
			g, _ := e.registry.Admit(t.Context(), session.Visitor{Key: demoKey, Origin: "https://example.com"})
			s := e.registry.New(g, c1)
			defer s.Close(context.Background())
			if end := s.Open(t.Context()); end != nil {
				t.Fatal(end)
			}
			app := *e.app
			c.change(&app)
			e.apps.set(&app)
			e.registry.RecheckAll(t.Context())
			end := c1.ended()
			if (end == nil) != (c.want == 0) || (end != nil && end.Code != c.want) {
				t.Errorf("got %v, want %d", end, c.want)
			}
			if c.want == 0 && s.App() != &app {
				t.Error("the conversation still has the old settings")
			}
		})
	}
}

// TestChangeWhileComingIn changes an app between the look-up of its key and the conversation's beginning: the recheck finds
// nobody, and the conversation must have the new settings all the same.
func TestChangeWhileComingIn(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	g, _ := e.registry.Admit(t.Context(), session.Visitor{Key: demoKey})
	app := *e.app
	app.Features.ClientEvents = !app.Features.ClientEvents
	e.apps.set(&app)
	e.registry.RecheckAll(t.Context())
	s := e.registry.New(g, &carrier{id: session.NewSocketID()})
	defer s.Close(context.Background())
	if end := s.Open(t.Context()); end != nil {
		t.Fatal(end)
	}
	if s.App() != &app {
		t.Error("the conversation has the old settings for good")
	}
}

// TestQuota lets two in and no third, until one has left.
func TestQuota(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.app.Limits.Connections = 2
	first, _ := e.open("js")
	e.open("js")
	come := func() *session.Ending {
		g, end := e.registry.Admit(t.Context(), session.Visitor{Key: demoKey})
		if end != nil {
			t.Fatal(end)
		}
		s := e.registry.New(g, &carrier{id: session.NewSocketID()})
		defer s.Close(context.Background())
		return s.Open(t.Context())
	}
	if end := come(); end == nil || end.Code != pusher.CloseQuota {
		t.Errorf("a third: %v", end)
	}
	if n := e.registry.Total(); n != 2 {
		t.Errorf("%d are counted", n)
	}
	first.Close(t.Context())
	if end := come(); end != nil {
		t.Errorf("after one had left: %v", end)
	}
}

// TestAuthorizedConnections waits for clients that never prove who they are, and for such that do.
func TestAuthorizedConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		e.app.Features.AuthorizedConnections = true
		silent, a := e.open("js")
		silent.Handle(t.Context(), subscribe("public"))
		private, b := e.open("js")
		b.join(t, private, "private-a", "")
		user, c := e.open("js")
		c.signIn(t, user, `{"id":"7"}`)
		failed, d := e.open("js")
		failed.Handle(t.Context(), frameOf("pusher:signin", map[string]string{"auth": demoKey + ":00", "user_data": `{"id":"7"}`}))
		gone, f := e.open("js")
		gone.Close(t.Context())
		time.Sleep(29 * time.Second)
		for name, c := range map[string]*carrier{"silent": a, "private": b, "user": c, "failed": d, "gone": f} {
			if c.ended() != nil {
				t.Errorf("%s was ended too early: %v", name, c.ended())
			}
		}
		time.Sleep(2 * time.Second)
		for name, c := range map[string]*carrier{"silent": a, "failed": d} {
			if end := c.ended(); end == nil || end.Code != pusher.CloseUnauthorized {
				t.Errorf("%s: %v", name, end)
			}
		}
		for name, c := range map[string]*carrier{"private": b, "user": c, "gone": f} {
			if end := c.ended(); end != nil {
				t.Errorf("%s: %v", name, end)
			}
		}
	})
}

// TestAuthorizedConnectionsSwitchedOn switches the feature on, and off again, under clients that are connected.
func TestAuthorizedConnectionsSwitchedOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		_, silent := e.open("js")
		s, private := e.open("js")
		private.join(t, s, "private-a", "")
		switchTo := func(on bool) {
			app := *e.app
			app.Features.AuthorizedConnections = on
			e.apps.set(&app)
			e.registry.Recheck(t.Context(), app.ID)
		}
		switchTo(true)
		time.Sleep(20 * time.Second)
		switchTo(false)
		time.Sleep(20 * time.Second)
		if silent.ended() != nil {
			t.Errorf("ended though it was switched off: %v", silent.ended())
		}
		switchTo(true)
		time.Sleep(31 * time.Second)
		if end := silent.ended(); end == nil || end.Code != pusher.CloseUnauthorized {
			t.Errorf("the silent one: %v", end)
		}
		if private.ended() != nil {
			t.Errorf("who was authorized before: %v", private.ended())
		}
	})
}
