package deploy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	pusher "github.com/pusher/pusher-http-go/v5"

	"github.com/pealhq/peal/test/chaos/stack"
)

const (
	source = "../.."
	config = source + "/deploy/haproxy.cfg"
	seed   = `tenants: [{name: Acme, apps: [{id: "7", name: chat, keys: [{key: abc, secret: def}]}]}]`
	// patience is for what must happen; a machine under load may need a while.
	patience = 30 * time.Second
)

// front is a platform of two edges with HAProxy before it.
type front struct {
	edges   []*stack.Edge
	addr    string
	control string
	api     *pusher.Client
}

func start(t *testing.T) *front {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	binary := filepath.Join(t.TempDir(), "peal")
	if err := stack.Build(ctx, source, binary, true); err != nil {
		t.Fatal(err)
	}
	p, err := stack.Start(ctx, stack.Config{
		Binary: binary, Edges: 2, Redis: stack.Single, Seed: seed,
		Env: []string{"PEAL_TRUSTED_PROXIES=127.0.0.1", "PEAL_DRAIN_PAUSE=4s", "PEAL_ACCEPT_RATE_PER_ADDRESS=1"},
	})
	t.Cleanup(func() {
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := stack.NewHAProxy(ctx, config, p.Dir(), p.Edges...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	f := &front{edges: p.Edges, addr: b.Addr().String(), api: api(b.Addr().String())}
	f.control = b.(interface{ Control() netip.AddrPort }).Control().String()
	return f
}

func api(addr string) *pusher.Client {
	return &pusher.Client{AppID: "7", Key: "abc", Secret: "def", Host: addr, HTTPClient: &http.Client{Timeout: 5 * time.Second}}
}

// TestHAProxy goes through what the configuration promises, on one platform: starting it takes longer than most of it.
func TestHAProxy(t *testing.T) {
	t.Parallel()
	f := start(t)
	t.Run("sockets are spread and all hear", f.spread)
	t.Run("what clients say of themselves is not believed", f.spoofed)
	t.Run("a conversation without cookies stays by its path", f.byPath)
	t.Run("a conversation with cookies stays by them", f.byCookie)
	t.Run("the dashboard", f.dashboard)
	t.Run("a killed edge is left out and comes back", f.killed)
	t.Run("a drained edge gets no more sockets", f.drained)
}

func (f *front) spread(t *testing.T) {
	var all []*socket
	for range 20 {
		all = append(all, dial(t, f.addr, nil))
	}
	for i, e := range f.edges {
		if n := metric(t, e, "peal_connections"); n != 10 {
			t.Errorf("edge %d has %v of 20 sockets", i, n)
		}
	}
	for _, s := range all {
		s.subscribe("news")
	}
	for i := range 4 {
		if err := f.api.Trigger("news", "hello", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range all {
		for i := range 4 {
			if got := s.next(); got.Event != "hello" || got.Data != fmt.Sprint(i) {
				t.Fatalf("heard %+v, want %d", got, i)
			}
		}
	}
}

// spoofed has clients name a public address as theirs, of which ten may come at once. The proxy removes it; to the edge
// itself, which trusts this machine, it counts.
func (f *front) spoofed(t *testing.T) {
	lie := http.Header{"X-Forwarded-For": {"203.0.113.9"}}
	const many = 14
	for range many {
		dial(t, f.addr, lie)
	}
	refused := 0
	for range many {
		if !admitted(t, f.edges[0].Addr().String(), lie) {
			refused++
		}
	}
	if refused == 0 {
		t.Error("nobody was refused without the proxy: this test sees nothing")
	}
}

// byPath begins many conversations, each of requests that carry nothing but their path.
func (f *front) byPath(t *testing.T) {
	before := f.conversations(t)
	const many = 16
	for i := range many {
		c := open(t, &http.Client{}, f.addr, fmt.Sprintf("path%04d", i))
		for n := range 3 {
			c.subscribe(fmt.Sprintf("room-%d", n))
		}
	}
	for i, n := range f.conversations(t) {
		if n -= before[i]; n < 2 || n > many-2 {
			t.Errorf("edge %d has %v of %d conversations", i, n, many)
		}
	}
}

// byCookie sends the cookie of the first conversation along, also where the path would have led to the other edge.
func (f *front) byCookie(t *testing.T) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	before := f.conversations(t)
	const many = 12
	for i := range many {
		open(t, &http.Client{Jar: jar}, f.addr, fmt.Sprintf("cookie%04d", i)).subscribe("room")
	}
	after := f.conversations(t)
	if a, b := after[0]-before[0], after[1]-before[1]; a*b != 0 || a+b != many {
		t.Errorf("one edge has %v and the other %v of the conversations with one cookie", a, b)
	}
}

// conversations counts those that the edges have let in.
func (f *front) conversations(t *testing.T) (list []float64) {
	t.Helper()
	for _, e := range f.edges {
		list = append(list, metric(t, e, `peal_fallback_sessions_accepted_total{transport="xhr_streaming"}`))
	}
	return list
}

func (f *front) dashboard(t *testing.T) {
	ask := `{"email":"ann@example.com","password":"a long walk by the river","tenantName":"Beta"}`
	at := "http://" + f.control + "/api/peal.admin.v1.AuthService/SignUp"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, strings.NewReader(ask))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Connect-Protocol-Version", "1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || !bytes.Contains(text, []byte("Beta")) {
		t.Errorf("sign up: %s %s", resp.Status, text)
	}
	page, err := http.Get("http://" + f.control + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	// Without Node the pages are not part of the program, which then says so.
	if text, _ := io.ReadAll(page.Body); !bytes.Contains(text, []byte("<title>Peal</title>")) && !bytes.Contains(text, []byte("dashboard's pages")) {
		t.Errorf("the page: %s %.200s", page.Status, text)
	}
}

func (f *front) killed(t *testing.T) {
	f.edges[0].Kill()
	for range 20 {
		if err := f.api.Trigger("news", "hello", "x"); err != nil {
			t.Errorf("publish after one edge was killed: %v", err)
		}
	}
	for range 5 {
		dial(t, f.addr, nil).close()
	}
	if err := f.edges[0].Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	for accepted(t, f.edges[0]) == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the edge that came back gets no sockets")
		}
		dial(t, f.addr, nil)
		time.Sleep(100 * time.Millisecond)
	}
}

// drained: within three seconds after it was told, and as long as it goes on, the edge serves requests and gets no socket.
func (f *front) drained(t *testing.T) {
	going, other := f.edges[0], f.edges[1]
	id := self(t, going)
	stop := f.publishAll(t)
	resp, err := http.Post(going.Ops()+"/nodes/"+id+"/drain", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("drain: %s", resp.Status)
	}
	time.Sleep(3 * time.Second)
	before, there := accepted(t, going), accepted(t, other)
	const many = 20
	for range many {
		dial(t, f.addr, nil)
	}
	if n := accepted(t, going) - before; n != 0 {
		t.Errorf("the edge got %v of %d sockets, 3 s after it was told to drain", n, many)
	}
	if n := accepted(t, other) - there; n != many {
		t.Errorf("the other edge got %v of %d sockets", n, many)
	}
	time.Sleep(2 * time.Second) // until it closes its sockets
	if sent := stop(); sent < 100 {
		t.Errorf("only %d events were published", sent)
	}
}

// publishAll publishes through the proxy and at the first edge, until it is stopped. Nothing may fail.
func (f *front) publishAll(t *testing.T) (stop func() int) {
	done := make(chan struct{})
	var running sync.WaitGroup
	var mu sync.Mutex
	sent := 0
	for _, to := range []*pusher.Client{f.api, api(f.edges[0].Addr().String())} {
		running.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(20 * time.Millisecond):
				}
				err := to.Trigger("news", "hello", "x")
				mu.Lock()
				if sent++; err != nil {
					t.Errorf("publish at %s: %v", to.Host, err)
				}
				mu.Unlock()
			}
		})
	}
	return func() int {
		close(done)
		running.Wait()
		return sent
	}
}
