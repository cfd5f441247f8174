package main

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/admin-api/gen/peal/admin/v1/adminv1connect"
)

// liveWorld is a platform of two processes that is changed while it is used.
type liveWorld struct {
	t      *testing.T
	edges  []*process
	admins []*liveAdmin // of one tenant, through each edge's control door
	http   *http.Client

	mu   sync.Mutex
	took map[string][]time.Duration // by the kind of change; guarded by mu
	over atomic.Bool                // the test closes sockets itself
}

// liveAdmin is the owner of a tenant, at one edge's control door.
type liveAdmin struct {
	tenant    string // its id
	apps      adminv1connect.AppServiceClient
	keys      adminv1connect.KeyServiceClient
	settings  adminv1connect.SettingsServiceClient
	operators adminv1connect.OperatorServiceClient
}

type liveKey struct{ key, secret string }

func newLiveWorld(t *testing.T, env []string) *liveWorld {
	t.Helper()
	w := &liveWorld{
		t: t, edges: []*process{startServe(t, env), startServe(t, env)}, took: map[string][]time.Duration{},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
	}
	t.Cleanup(w.http.CloseIdleConnections)
	untilReady(t, w.edges...)
	w.admins = w.signUp("owner@example.com")
	return w
}

// signUp makes a tenant, and returns its owner at each edge's control door.
func (w *liveWorld) signUp(email string) (admins []*liveAdmin) {
	w.t.Helper()
	const password = "a password that nobody guesses 7f3"
	for i, p := range w.edges {
		jar, err := cookiejar.New(nil)
		if err != nil {
			w.t.Fatal(err)
		}
		h, base := &http.Client{Jar: jar}, p.info.DashboardURL+"/api"
		auth := adminv1connect.NewAuthServiceClient(h, base)
		if i == 0 {
			_, err = auth.SignUp(w.t.Context(), &adminv1.SignUpRequest{Email: email, Password: password, TenantName: "Team of " + email})
		} else {
			_, err = auth.LogIn(w.t.Context(), &adminv1.LogInRequest{Email: email, Password: password})
		}
		if err != nil {
			w.t.Fatal(err)
		}
		who, err := auth.WhoAmI(w.t.Context(), &adminv1.WhoAmIRequest{})
		if err != nil {
			w.t.Fatal(err)
		}
		admins = append(admins, &liveAdmin{
			tenant: who.GetAccount().GetTenantId(),
			apps:   adminv1connect.NewAppServiceClient(h, base), keys: adminv1connect.NewKeyServiceClient(h, base),
			settings: adminv1connect.NewSettingsServiceClient(h, base), operators: adminv1connect.NewOperatorServiceClient(h, base),
		})
	}
	return admins
}

func (a *liveAdmin) reveal(ctx context.Context, app, key string) (liveKey, error) {
	shown, err := a.keys.RevealKey(ctx, &adminv1.RevealKeyRequest{AppId: app, Key: key})
	return liveKey{key, shown.GetSecret()}, err
}

func (w *liveWorld) measured(kind string, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.took[kind] = append(w.took[kind], took)
}

// report prints how long the changes took, and fails the test when the edges were too slow.
func (w *liveWorld) report(goal time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []time.Duration
	var text strings.Builder
	line := func(name string, took []time.Duration) {
		slices.Sort(took)
		at := func(share float64) time.Duration {
			return took[min(len(took)-1, int(share*float64(len(took))))].Round(100 * time.Microsecond)
		}
		fmt.Fprintf(&text, "%-14s %5d %10v %10v %10v %10v\n", name, len(took), at(0.5), at(0.9), at(0.99), took[len(took)-1].Round(100*time.Microsecond))
	}
	fmt.Fprintf(&text, "\n%-14s %5s %10s %10s %10s %10s\n", "change", "edges", "p50", "p90", "p99", "max")
	var kinds []string
	for kind := range w.took {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		all = append(all, w.took[kind]...)
		line(kind, w.took[kind])
	}
	line("all", all)
	fmt.Fprintln(&text)
	from := time.Duration(0)
	for _, ms := range []int{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 1 << 30} {
		to := time.Duration(ms) * time.Millisecond
		n := 0
		for _, d := range all {
			if d >= from && d < to {
				n++
			}
		}
		if n > 0 {
			fmt.Fprintf(&text, "%8v to %-8v %4d %s\n", from, to, n, strings.Repeat("#", (60*n+len(all)-1)/len(all)))
		}
		from = to
	}
	w.t.Log(text.String())
	if p99 := all[min(len(all)-1, len(all)*99/100)]; p99 >= goal {
		w.t.Errorf("p99 is %v, and must be less than %v", p99, goal)
	}
}

// end says that sockets that close from now on are the test's own doing.
func (w *liveWorld) end() { w.over.Store(true) }

// liveApp is an app with sockets on every edge.
type liveApp struct {
	w        *liveWorld
	tenant   string // its id
	id       string
	stay     liveKey // is never taken away but with the app
	extra    liveKey
	retiring liveKey // was the extra one
	sockets  []*liveSocket
}

func (a *liveApp) ctx() context.Context { return a.w.t.Context() }

var liveApps atomic.Int64

// newApp makes an app with two keys. It knows of no socket yet.
func (w *liveWorld) newApp(admin *liveAdmin) *liveApp {
	w.t.Helper()
	a := &liveApp{w: w, tenant: admin.tenant}
	made, err := admin.apps.CreateApp(a.ctx(), &adminv1.CreateAppRequest{Name: fmt.Sprintf("App %d", liveApps.Add(1))})
	if err == nil {
		a.id = made.GetApp().GetId()
		a.stay, err = admin.reveal(a.ctx(), a.id, made.GetKey().GetKey())
	}
	if err == nil {
		_, err = a.createExtra(admin)
	}
	if err != nil {
		w.t.Errorf("make an app: %v", err)
	}
	return a
}

// liveSocket is one open socket.
type liveSocket struct {
	edge        int
	key, origin string
	doomed      atomic.Bool
	closed      chan struct{}
	// When and how it was closed, once it is.
	at   time.Time
	code int
}

// fill opens the sockets that every edge is to have of an app, where they are not.
func (a *liveApp) fill() {
	a.sockets = slices.DeleteFunc(a.sockets, func(s *liveSocket) bool {
		select {
		case <-s.closed:
			return true
		default:
			return false
		}
	})
	for edge := range a.w.edges {
		for _, seat := range []struct{ key, origin string }{
			{a.stay.key, ""}, {a.stay.key, "https://a.example"}, {a.stay.key, "https://b.example"}, {a.extra.key, ""},
		} {
			if !slices.ContainsFunc(a.sockets, func(s *liveSocket) bool { return s.edge == edge && s.key == seat.key && s.origin == seat.origin }) {
				a.open(edge, seat.key, seat.origin)
			}
		}
	}
}

// dial opens a socket and reads its first frame.
func (a *liveApp) dial(edge int, key, origin string) (*websocket.Conn, string, error) {
	ctx, cancel := context.WithTimeout(a.ctx(), patience)
	defer cancel()
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	at := strings.Replace(a.w.edges[edge].info.EdgeURL, "http", "ws", 1) + "/app/" + key + "?protocol=7&client=test"
	conn, _, err := websocket.Dial(ctx, at, &websocket.DialOptions{HTTPHeader: h})
	if err != nil {
		return nil, "", err
	}
	_, text, err := conn.Read(ctx)
	return conn, string(text), err
}

func (a *liveApp) open(edge int, key, origin string) {
	conn, hello, err := a.dial(edge, key, origin)
	if err != nil || !strings.Contains(hello, "connection_established") {
		a.w.t.Errorf("app %s at edge %d with key %s from %q: %q, %v", a.id, edge, key, origin, hello, err)
		return
	}
	s := &liveSocket{edge: edge, key: key, origin: origin, closed: make(chan struct{})}
	a.sockets = append(a.sockets, s)
	reading := make(chan struct{})
	a.w.t.Cleanup(func() {
		a.w.end()
		conn.CloseNow()
		<-reading
	})
	go func() {
		defer close(reading)
		for {
			if _, _, err := conn.Read(context.WithoutCancel(a.ctx())); err != nil {
				s.at = time.Now()
				var ce websocket.CloseError
				if errors.As(err, &ce) {
					s.code = int(ce.Code)
				}
				if !s.doomed.Load() && !a.w.over.Load() {
					a.w.t.Errorf("a socket of app %s at edge %d from %q was closed with %d, and had its right: %v", a.id, edge, origin, s.code, err)
				}
				close(s.closed)
				conn.CloseNow()
				return
			}
		}
	}()
}

// closedAt waits until the socket is closed, and returns when that was.
func (s *liveSocket) closedAt(code int) time.Time {
	select {
	case <-s.closed:
		if s.code != code {
			return time.Now().Add(time.Hour) // It says aloud that something is wrong.
		}
		return s.at
	case <-time.After(10 * time.Second):
		return time.Now()
	}
}

// letsIn tells whether an edge lets a page of this origin in.
func (a *liveApp) letsIn(edge int, origin string) bool {
	conn, hello, err := a.dial(edge, a.stay.key, origin)
	if err != nil {
		return false
	}
	defer conn.CloseNow()
	return strings.Contains(hello, "connection_established")
}

// publish publishes four bytes at an edge, and returns the status of the answer.
func (a *liveApp) publish(edge int, k liveKey) int {
	return a.ask(edge, k, http.MethodPost, "/events", "", `{"name":"e","channel":"live","data":"four"}`)
}

// askForCounts asks for counts that there are only with a feature.
func (a *liveApp) askForCounts(edge int) int {
	return a.ask(edge, a.stay, http.MethodGet, "/channels", "info=subscription_count", "")
}

func (a *liveApp) ask(edge int, k liveKey, method, path, params, body string) int {
	url := a.w.edges[edge].info.EdgeURL + k.sign(method, "/apps/"+a.id+path, params, body)
	req, err := http.NewRequestWithContext(a.ctx(), method, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	resp, err := a.w.http.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// sign returns a path of the HTTP API with its parameters and their signature.
func (k liveKey) sign(method, path, params, body string) string {
	query := fmt.Sprintf("auth_key=%s&auth_timestamp=%d&auth_version=1.0", k.key, time.Now().Unix())
	if body != "" {
		query += fmt.Sprintf("&body_md5=%x", md5.Sum([]byte(body)))
	}
	if params != "" {
		query += "&" + params
	}
	mac := hmac.New(sha256.New, []byte(k.secret))
	fmt.Fprintf(mac, "%s\n%s\n%s", method, path, query)
	return fmt.Sprintf("%s?%s&auth_signature=%x", path, query, mac.Sum(nil))
}
