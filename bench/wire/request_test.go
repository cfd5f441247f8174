package wire_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/bench/wire"
	"github.com/pealhq/peal/pusher"
)

var demo = wire.Credentials{AppID: "3", Key: "278d425bdf160c739803", Secret: "7ad3773142a6692b25b8"}

func TestPublishesAreSigned(t *testing.T) {
	t.Parallel()
	now := time.Unix(1353088179, 0)
	s := wire.NewSigner(demo, "localhost:6001")
	event := wire.Event{Channel: "c", Data: []byte("data")}
	requests := map[string][]byte{
		"/apps/3/events":       s.AppendPublish(nil, event, now.Unix()),
		"/apps/3/batch_events": s.AppendBatch(nil, []wire.Event{event, event}, now.Unix()),
	}
	for path, text := range requests {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		if r.URL.Path != path || r.Host != "localhost:6001" {
			t.Errorf("%s %s, want %s", r.Host, r.URL.Path, path)
		}
		signed, err := pusher.ParseRequest(r.Method, r.URL.EscapedPath(), r.URL.RawQuery)
		if err != nil {
			t.Fatal(err)
		}
		if err := signed.CheckTime(now); err != nil {
			t.Error(err)
		}
		if err := signed.Verify(demo.Secret, body); err != nil {
			t.Error(err)
		}
	}
}

// The vector is the presence example of the protocol.
func TestPresenceSubscriptionsAreSigned(t *testing.T) {
	t.Parallel()
	s := wire.NewSigner(demo, "")
	got := string(s.AppendSubscribe(nil, "1234.1234", "presence-foobar", `{"user_id":10,"user_info":{"name":"Mr. Channels"}}`))
	want := `{"event":"pusher:subscribe","data":{"channel":"presence-foobar","auth":"278d425bdf160c739803:` +
		`31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80",` +
		`"channel_data":"{\"user_id\":10,\"user_info\":{\"name\":\"Mr. Channels\"}}"}}`
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := string(s.AppendSubscribe(nil, "1.1", "c", "")); got != `{"event":"pusher:subscribe","data":{"channel":"c","auth":""}}` {
		t.Error(got)
	}
}

func TestReadResponse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, body string
		status     int
		closes     bool
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\n{}", "{}", 200, false},
		{"HTTP/1.1 401 Unauthorized\r\ncontent-length:3\r\nConnection: close\r\n\r\nno\n", "no\n", 401, true},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", "{}", 200, false},
	} {
		for cut := range len(c.text) {
			if _, n, err := wire.ReadResponse([]byte(c.text[:cut])); n != 0 || err != nil {
				t.Fatalf("%q: %d, %v", c.text[:cut], n, err)
			}
		}
		r, n, err := wire.ReadResponse([]byte(c.text + "HTTP/1.1"))
		if n != len(c.text) || err != nil || r.Status != c.status || string(r.Body) != c.body || r.Close != c.closes {
			t.Errorf("%q: %+v, %d, %v", c.text, r, n, err)
		}
	}
	for _, text := range []string{
		"nonsense\r\n\r\n", "HTTP/1.1 2x OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", strings.Repeat("x", 20<<10),
	} {
		if _, n, err := wire.ReadResponse([]byte(text)); n != 0 || err == nil {
			t.Errorf("%.40q is taken", text)
		}
	}
}
