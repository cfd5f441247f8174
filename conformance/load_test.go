//go:build conformance

package conformance

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The tests of this file look at the server as a whole, so they run alone: before those that run side by side.

// TestInOrderExactlyOnce sends 1,000 events to 20 sockets.
func TestInOrderExactlyOnce(t *testing.T) {
	const sockets, events = 20, 1000
	a, channel := plain(t), unique("")
	var all []*client
	for i := range sockets {
		c := connect(t, a, libraries[i%len(libraries)])
		c.subscribe(channel)
		all = append(all, c)
	}
	for i := 0; i < events; {
		if i%100 < 50 {
			a.trigger(t, channel, "e", strconv.Itoa(i))
			i++
			continue
		}
		var items []string
		for range 10 {
			items = append(items, `{"name":"e","channel":`+quote(channel)+`,"data":"`+strconv.Itoa(i)+`"}`)
			i++
		}
		a.post(t, "/batch_events", `{"batch":[`+strings.Join(items, ",")+`]}`).succeeds(t, "{}")
	}
	for _, c := range all {
		for i := range events {
			c.wantData("e", channel, strconv.Itoa(i))
		}
		c.quiet()
	}
}

// TestComingAndGoing lets 2,000 sockets come and go in every way, and finds the server as it was before.
func TestComingAndGoing(t *testing.T) {
	// Two are one member, of whom there may be a hundred, with those who have gone and are still being taken off.
	const sockets, atOnce = 2000, 50
	a := prepared(t, "counts")
	watcher := connect(t, a, js)
	presence, public := unique("presence-"), unique("")
	watcher.join(presence, `{"user_id":"watcher"}`)
	before := gauges(t)
	var visitors sync.WaitGroup
	places := make(chan struct{}, atOnce)
	var failed atomic.Int64
	for i := range sockets {
		places <- struct{}{}
		visitors.Go(func() {
			defer func() { <-places }()
			if err := comeAndGo(a, i, presence, public); err != nil && failed.Add(1) < 5 {
				t.Errorf("socket %d: %v", i, err)
			}
		})
	}
	visitors.Wait()
	eventually(t, "everybody to be gone", func() bool {
		return sameJSON(a.get(t, "/channels/"+presence+"/users").body, `{"users":[{"id":"watcher"}]}`) &&
			sameJSON(a.get(t, "/channels/"+public).body, `{"occupied":false}`)
	})
	a.get(t, "/channels/"+presence, "info=user_count").succeeds(t, `{"occupied":true,"user_count":1}`)
	// Each transition was told once: who came has gone, and nobody twice.
	there := map[string]bool{"watcher": true}
	watcher.send(`{"event":"pusher:ping","data":{}}`)
	for f := watcher.next(); f.event != evPong; f = watcher.next() {
		id, _, _ := strings.Cut(strings.TrimPrefix(f.data, `{"user_id":"`), `"`)
		if now := f.event == evAdded; there[id] == now {
			t.Fatalf("told %s, who was there: %v", f.raw, there[id])
		} else if now {
			there[id] = true
		} else {
			delete(there, id)
		}
	}
	if len(there) != 1 {
		t.Errorf("left behind, for the watcher: %v", there)
	}
	if server.ops == "" {
		t.Log("not looked at: the server's own figures (needs CONFORMANCE_OPS)")
		return
	}
	for name, want := range before {
		eventually(t, fmt.Sprintf("%s to be %v again", name, want), func() bool {
			httpClient.CloseIdleConnections() // they cost the server goroutines and descriptors, too
			return gauges(t)[name] <= want+slack()[name]
		})
	}
}

// slack is what may be there more than before, for what goes on beside: connections of the HTTP client, a GC worker; and,
// where there are several edges, the pool of connections to Redis and those that the balancer keeps.
func slack() map[string]float64 {
	if server.balanced {
		return map[string]float64{"go_goroutines": 150, "process_open_fds": 75}
	}
	return map[string]float64{"go_goroutines": 10, "process_open_fds": 10}
}

// gauges reads what the server says it has of sockets, subscriptions, goroutines and descriptors.
func gauges(t *testing.T) map[string]float64 {
	t.Helper()
	if server.ops == "" {
		return nil
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.ops+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for scan := bufio.NewScanner(strings.NewReader(send(t, req).body)); scan.Scan(); {
		name, value, _ := strings.Cut(scan.Text(), " ")
		switch name {
		case "peal_connections", "peal_subscriptions", "peal_topics", "peal_backlog_bytes", "go_goroutines", "process_open_fds":
			if found[name], err = strconv.ParseFloat(value, 64); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(found) < 4 {
		t.Fatalf("the metrics have only %v", found)
	}
	return found
}

// comeAndGo is one visit. It uses no testing.T: there are too many of them for one failure each.
func comeAndGo(a app, i int, presence, public string) error {
	w, _, err := dialWire(server.addr, "/app/"+a.key+"?"+js.query, nil)
	if err != nil || w == nil {
		return fmt.Errorf("dial: %w", err)
	}
	defer w.conn.Close()
	c := &client{wire: w, app: a, lib: js}
	_ = w.conn.SetDeadline(time.Now().Add(2 * patience))
	f, err := c.await(evEstablished)
	if err != nil {
		return err
	}
	if c.id, _, err = handshake(f); err != nil {
		return err
	}
	member := fmt.Sprintf(`{"user_id":"u%d"}`, i/2)
	subscribe := func(channel, auth, data string) error {
		text := `{"event":"pusher:subscribe","data":{"channel":` + quote(channel) + `,"auth":` + quote(auth) + `,"channel_data":` + quote(data) + `}}`
		if err := w.write(opText, []byte(text)); err != nil {
			return err
		}
		_, err := c.await(evSucceeded)
		return err
	}
	if err := subscribe(presence, a.sign(c.id+":"+presence+":"+member), member); err != nil {
		return err
	}
	if err := subscribe(public, "", ""); err != nil {
		return err
	}
	switch i % 4 {
	case 0: // with goodbye
		return w.write(opClose, []byte{0x03, 0xe8})
	case 1:
		return w.reset()
	case 2: // in the middle of a frame
		return w.writeRaw([]byte{0x81, 0xfe, 0x10})
	default:
		return w.write(opText, []byte(`{"event":"pusher:unsubscribe","data":{"channel":`+quote(presence)+`}}`))
	}
}

// await reads until an event comes.
func (c *client) await(event string) (frame, error) {
	for {
		op, payload, err := c.read()
		if err != nil || op == opClose {
			return frame{}, fmt.Errorf("waiting for %s: %w", event, err)
		}
		if op != opText {
			continue
		}
		if bytes.Contains(payload, []byte(`"pusher:subscription_error"`)) {
			return frame{}, fmt.Errorf("waiting for %s: %s", event, payload)
		}
		if f, err := c.lib.parse(payload); err != nil || f.event == event {
			return f, err
		}
	}
}

// seed is where the mutations begin: printed, so that a failure can be had again with CONFORMANCE_SEED.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := uint64(time.Now().UnixNano())
	if given := os.Getenv("CONFORMANCE_SEED"); given != "" {
		var err error
		if n, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("CONFORMANCE_SEED=%d", n)
	return n
}

// TestNoise sends 10,000 broken frames and requests. The server may refuse and close what it likes, but not fall, and not
// fail a bystander.
func TestNoise(t *testing.T) {
	const messages, frames, requests = 7000, 1500, 1500
	n := seed(t)
	a := plain(t)
	bystander := connect(t, a, js)
	channel := unique("private-")
	bystander.subscribe(channel)
	var noise sync.WaitGroup
	var sent [3]int
	noise.Go(func() { sent[0] = noiseOfMessages(a, channel, rand.New(rand.NewPCG(n, 1)), messages) })
	noise.Go(func() { sent[1] = noiseOfFrames(a, rand.New(rand.NewPCG(n, 2)), frames) })
	noise.Go(func() { sent[2] = noiseOfRequests(a, channel, rand.New(rand.NewPCG(n, 3)), requests) })
	noise.Wait()
	if sent != [3]int{messages, frames, requests} {
		t.Errorf("only %d messages, %d frames and %d requests could be sent: was the server there all the time?", sent[0], sent[1], sent[2])
	}
	// What noise got through to the channel is of no interest; the end is.
	a.trigger(t, channel, "end", "")
	for f := bystander.next(); f.event != "end"; f = bystander.next() {
		if f.channel != channel {
			t.Errorf("the bystander received %s", f.raw)
		}
	}
	c := connect(t, a, js)
	c.subscribe(channel)
	c.emit("client-e", channel, `"round"`)
	bystander.wantData("client-e", channel, "round")
	a.trigger(t, channel, "e", "trip")
	c.wantData("e", channel, "trip")
	if server.own != nil && strings.Contains(server.own.log.String(), "panic") {
		t.Errorf("the server's log tells of a panic:\n%s", server.own.log)
	}
}

// noiseOfMessages sends messages that are almost right, on sockets that stay open as long as the server lets them, and
// returns how many it could send or had cut off.
func noiseOfMessages(a app, channel string, r *rand.Rand, n int) (sent int) {
	var w *wire
	var id string
	for range n {
		if w == nil {
			var err error
			if w, _, err = dialWire(server.addr, "/app/"+a.key+"?"+js.query, nil); err != nil || w == nil {
				return sent
			}
			c := &client{wire: w, app: a, lib: js}
			if f, err := c.await(evEstablished); err == nil {
				id, _, _ = handshake(f)
			}
			go func(w *wire) { // what comes back is read, so that it is not that which ends the socket
				for {
					if _, _, err := w.read(); err != nil {
						return
					}
				}
			}(w)
		}
		if err := w.write(opText, mutate(r, []byte(sample(r, a, id, channel)))); err != nil {
			_ = w.conn.Close()
			w = nil
		}
		sent++
	}
	if w != nil {
		_ = w.conn.Close()
	}
	return sent
}

// sample is a message that is right.
func sample(r *rand.Rand, a app, id, channel string) string {
	presence := "presence-noise-" + strconv.Itoa(r.IntN(5))
	member := `{"user_id":` + strconv.Itoa(r.IntN(50)) + `,"user_info":{"a":[1,{"b":null}]}}`
	user := `{"id":"u` + strconv.Itoa(r.IntN(5)) + `","watchlist":["a"]}`
	all := []string{
		`{"event":"pusher:ping","data":{}}`,
		`{"event":"pusher:subscribe","data":{"auth":"","channel":"noise-` + strconv.Itoa(r.IntN(50)) + `"}}`,
		`{"event":"pusher:subscribe","data":{"auth":` + quote(a.sign(id+":"+channel)) + `,"channel":` + quote(channel) + `}}`,
		`{"event":"pusher:subscribe","data":{"auth":` + quote(a.sign(id+":"+presence+":"+member)) + `,"channel":` + quote(presence) + `,"channel_data":` + quote(member) + `}}`,
		`{"event":"pusher:unsubscribe","data":{"channel":` + quote(presence) + `}}`,
		`{"event":"pusher:signin","data":{"auth":` + quote(a.sign(id+"::user::"+user)) + `,"user_data":` + quote(user) + `}}`,
		`{"event":"client-e","channel":` + quote(channel) + `,"data":{"a":"\u00e9\n","b":[1.5e3,true]}}`,
		`{"event":"pusher:subscribe","data":"{\"channel\":\"noise\"}"}`,
	}
	return all[r.IntN(len(all))]
}

// mutate changes a text in one to three ways, or hardly ever leaves it as it is.
func mutate(r *rand.Rand, text []byte) []byte {
	tokens := []string{`"`, `{`, `}`, `[`, `]`, `:`, `,`, `\`, `\u0000`, `\ud800`, "\x00", "\xff", "\u2028", `null`, `1e999`, `-0`, `"channel":`, `"data":`, `"event":`, " ", "é", ":user::"}
	for range 1 + r.IntN(3) {
		if len(text) == 0 {
			break
		}
		at := r.IntN(len(text))
		switch r.IntN(6) {
		case 0:
			text[at] = byte(r.IntN(256))
		case 1:
			text = append(text[:at:at], text[min(len(text), at+1+r.IntN(8)):]...)
		case 2:
			text = append(text[:at:at], append([]byte(tokens[r.IntN(len(tokens))]), text[at:]...)...)
		case 3:
			text = text[:at]
		case 4:
			text = append(text, text[at:]...)
		case 5:
			text = []byte(strings.Repeat(string(text[at:min(len(text), at+4)]), 1+r.IntN(200)))
		}
	}
	return text
}

// noiseOfFrames breaks the framing itself: each costs the socket.
func noiseOfFrames(a app, r *rand.Rand, n int) (sent int) {
	for range n {
		w, _, err := dialWire(server.addr, "/app/"+a.key+"?"+js.query, nil)
		if err != nil || w == nil {
			return sent
		}
		sent++
		frame := []byte{0x81, 0x80 | 32, 1, 2, 3, 4}
		frame = append(frame, make([]byte, 32)...)
		_ = w.writeRaw(mutate(r, frame))
		if r.IntN(2) == 0 {
			_ = w.reset()
		} else {
			_ = w.conn.Close()
		}
	}
	return sent
}

// noiseOfRequests sends requests of the HTTP API that are broken before or after they were signed.
func noiseOfRequests(a app, channel string, r *rand.Rand, n int) (sent int) {
	for range n {
		body := `{"name":"e","channels":[` + quote(channel) + `,"presence-noise-1"],"data":"{\"a\":1}","info":"user_count","socket_id":"1.2"}`
		path := a.path("/events")
		method := http.MethodPost
		switch r.IntN(4) {
		case 0:
			body, path = `{"batch":[{"name":"e","channel":`+quote(channel)+`,"data":"x","info":"user_count"},{"name":"e","channel":"a","data":"y"}]}`, a.path("/batch_events")
		case 1:
			body, path, method = "", a.path("/channels/presence-noise-1/users"), http.MethodGet
		}
		if r.IntN(2) == 0 {
			body = string(mutate(r, []byte(body)))
		}
		target := path + "?" + a.query(request{method: method, path: path, body: body, params: []string{"info=user_count"}})
		if r.IntN(2) == 0 {
			target = strings.NewReplacer(" ", "%20", "\r", "", "\n", "").Replace(string(mutate(r, []byte(target))))
		}
		req := method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
		if !sendRaw(req) {
			return sent
		}
		sent++
	}
	return sent
}

// sendRaw sends bytes to the server and waits for whatever it says. It tells whether there was a server.
func sendRaw(text string) bool {
	conn, err := dialTCP()
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	_, _ = conn.Write([]byte(text))
	_, _ = conn.Read(make([]byte, 512))
	return true
}
