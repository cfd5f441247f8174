package crowd

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pealhq/peal/test/chaos/ledger"
)

// PressConfig says who publishes what.
type PressConfig struct {
	Clock Clock
	Apps  []App
	// Channels are those of the run that are published to, by number.
	Channels map[uint16]string
	// Publishers is how many there are for each app, and Rate how many events all of them publish in a second.
	Publishers int
	Rate       float64
	// Addr says where a publisher publishes, as host:port, each time that it connects.
	Addr func(publisher int) string
	// Keys has each event published with an idempotency key, and again until it is known to be out, or refused.
	Keys bool
	// BadEvery is how many events of a publisher there are for each that is signed with a wrong secret; 0 for none.
	BadEvery int
	// Timeout bounds each request (5 s).
	Timeout time.Duration
}

// Press publishes.
type Press struct {
	cfg     PressConfig
	numbers []uint16 // of the channels
	running sync.WaitGroup
	end     context.CancelFunc

	mu        sync.Mutex
	publishes []ledger.Publish // guarded by mu
	tries     []Try            // guarded by mu
}

// Try is one request.
type Try struct {
	At, Took  time.Duration
	Publisher int
	// Status is 0 where no answer came; Err is why.
	Status int
	Err    string
	// RetryAfter tells whether a refusal said when to come again.
	RetryAfter bool
}

// Start publishes until Stop.
func Start(ctx context.Context, cfg PressConfig) *Press {
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	p := &Press{cfg: cfg}
	for n := range cfg.Channels {
		p.numbers = append(p.numbers, n)
	}
	slices.Sort(p.numbers)
	ctx, p.end = context.WithCancel(ctx)
	every := time.Duration(float64(time.Second) * float64(cfg.Publishers*len(cfg.Apps)) / cfg.Rate)
	for app := range cfg.Apps {
		for i := range cfg.Publishers {
			p.running.Go(func() { p.publisher(ctx, app, i, every) })
		}
	}
	return p
}

// Stop lets each publisher end what it has under way.
func (p *Press) Stop() {
	p.end()
	p.running.Wait()
}

// Publishes are all events of which it is known what became of them.
func (p *Press) Publishes() []ledger.Publish {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.publishes)
}

// Tries are all requests that have ended.
func (p *Press) Tries() []Try {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.tries)
}

// publisher publishes to the channels in turn, one event after the other.
func (p *Press) publisher(ctx context.Context, app, number int, every time.Duration) {
	transport := &http.Transport{
		MaxIdleConnsPerHost: 1, DisableCompression: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, network, p.cfg.Addr(number))
		},
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: p.cfg.Timeout}
	s := newSigner(p.cfg.Apps[app])
	tick := time.NewTicker(every)
	defer tick.Stop()
	for seq := uint32(0); ; seq++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		channel := p.numbers[(int(seq)+number*7)%len(p.numbers)]
		id := ledger.ID{App: uint16(app), Publisher: uint16(app*p.cfg.Publishers + number), Channel: channel, Seq: seq}
		p.one(ctx, client, s, number, id)
	}
}

// retryFor is how long an event with a key is tried again.
const (
	retryFor   = 30 * time.Second
	retryPause = 200 * time.Millisecond
)

// one publishes an event, with all its tries, and writes down what became of it.
func (p *Press) one(ctx context.Context, client *http.Client, s *signer, number int, id ledger.ID) {
	e := ledger.Publish{ID: id, Invoked: p.cfg.Clock.Now()}
	bad := p.cfg.BadEvery > 0 && int(id.Seq)%p.cfg.BadEvery == p.cfg.BadEvery-1
	var key string
	if p.cfg.Keys {
		key = "chaos-" + strings.ReplaceAll(id.String(), ".", "-")
	}
	possible := false // one of the tries may have been carried out
	for {
		e.Tries++
		t := p.try(ctx, client, s, number, id, key, bad)
		e.Status = t.Status
		switch outcomeOf(t) {
		case ledger.OK:
			e.Outcome = ledger.OK
		case ledger.Failed:
			// What is signed wrongly was not carried out by an earlier try either.
			if e.Outcome = ledger.Failed; possible && !bad {
				e.Outcome = ledger.Unknown
			}
		case ledger.Unknown:
			possible, e.Outcome = true, ledger.Unknown
		}
		final := e.Outcome == ledger.OK || refused(t.Status) && t.Status != http.StatusTooManyRequests
		if final || key == "" || p.cfg.Clock.Now()-e.Invoked > retryFor {
			break
		}
		time.Sleep(retryPause)
	}
	e.Answered = p.cfg.Clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.publishes = append(p.publishes, e)
}

// notSent is what a try says that never reached an edge.
const notSent = "not sent: "

// outcomeOf says what a try proves. A 503 proves nothing: the bus may have it, and have failed to say so in time.
func outcomeOf(t Try) ledger.Outcome {
	switch {
	case t.Status == http.StatusOK:
		return ledger.OK
	case refused(t.Status), strings.HasPrefix(t.Err, notSent):
		return ledger.Failed
	}
	return ledger.Unknown
}

// refused tells whether a status says that nothing was done. A conflict says that the same event is under way.
func refused(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusConflict
}

// try sends one request. It is not cut short when the press stops: what became of it would not be known.
func (p *Press) try(ctx context.Context, client *http.Client, s *signer, number int, id ledger.ID, key string, bad bool) Try {
	began := time.Now()
	t := Try{At: p.cfg.Clock.Now(), Publisher: number}
	body := s.event(p.cfg.Channels[id.Channel], id)
	resp, err := s.post(context.WithoutCancel(ctx), client, p.cfg.Addr(number), "/events", body, key, bad)
	t.Took = time.Since(began)
	if err != nil {
		t.Err = err.Error()
		if dialFailed(err) {
			t.Err = notSent + t.Err
		}
	} else {
		answer, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // The status has said all that counts.
		_ = resp.Body.Close()                                     // as above
		t.Status, t.RetryAfter = resp.StatusCode, resp.Header.Get("Retry-After") != ""
		if t.Status != http.StatusOK {
			t.Err = fmt.Sprintf("%d %s", t.Status, strings.TrimSpace(string(answer)))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries = append(p.tries, t)
	return t
}
