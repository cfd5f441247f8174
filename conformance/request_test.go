//go:build conformance

package conformance

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	pusher "github.com/pusher/pusher-http-go/v5"
)

// request is a call of the HTTP API, to be signed. The zero values are what a careful server sends.
type request struct {
	method, path string
	params       []string // "k=v", signed as they are and sent escaped
	body         string
	header       http.Header

	// The rest is for those who are not careful.
	at        time.Time // of signing; now
	signAs    []string  // what is signed in place of params
	key       string    // auth_key; the app's
	version   string    // auth_version; 1.0
	md5       string    // body_md5 whatever the body, "-" to leave it out
	signature string    // in place of the right one
}

// answer is what came back.
type answer struct {
	status int
	body   string
	header http.Header
}

// call signs a request and sends it.
func (a app) call(t testing.TB, r request) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, "http://"+server.addr+r.path+"?"+a.query(r), strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if r.header != nil {
		req.Header = r.header
	} else if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return send(t, req)
}

var httpClient = &http.Client{
	Timeout:       patience,
	Transport:     &http.Transport{MaxIdleConnsPerHost: 16},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func send(t testing.TB, req *http.Request) answer {
	t.Helper()
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, string(body), resp.Header}
}

// query returns the signed query.
func (a app) query(r request) string {
	at := r.at
	if at.IsZero() {
		at = time.Now()
	}
	key, version := r.key, r.version
	if key == "" {
		key = a.key
	}
	if version == "" {
		version = "1.0"
	}
	own := []string{"auth_key=" + key, "auth_timestamp=" + strconv.FormatInt(at.Unix(), 10), "auth_version=" + version}
	digest := md5.Sum([]byte(r.body))
	switch {
	case r.md5 != "" && r.md5 != "-":
		own = append(own, "body_md5="+r.md5)
	case r.md5 == "" && r.body != "":
		own = append(own, "body_md5="+hex.EncodeToString(digest[:]))
	}
	signed := r.params
	if r.signAs != nil {
		signed = r.signAs
	}
	all := slices.Concat(own, signed)
	slices.Sort(all)
	signature := r.signature
	if signature == "" {
		signature = a.digest(r.method + "\n" + r.path + "\n" + strings.Join(all, "&"))
	}
	var sent []string
	for _, p := range slices.Concat(own, r.params, []string{"auth_signature=" + signature}) {
		name, value, _ := strings.Cut(p, "=")
		sent = append(sent, url.QueryEscape(name)+"="+url.QueryEscape(value))
	}
	return strings.Join(sent, "&")
}

func (a app) path(rest string) string { return "/apps/" + a.id + rest }

func (a app) post(t testing.TB, rest, body string) answer {
	t.Helper()
	return a.call(t, request{method: http.MethodPost, path: a.path(rest), body: body})
}

func (a app) get(t testing.TB, rest string, params ...string) answer {
	t.Helper()
	return a.call(t, request{method: http.MethodGet, path: a.path(rest), params: params})
}

// trigger publishes, and nothing else than the answer of the contract will do.
func (a app) trigger(t testing.TB, channel, event, data string) {
	t.Helper()
	a.post(t, "/events", `{"name":`+quote(event)+`,"channel":`+quote(channel)+`,"data":`+quote(data)+`}`).succeeds(t, "{}")
}

// succeeds fails unless the status is 200, the only success there is; and unless the body is this one, where one is given.
// As JSON it may be written in any way.
func (r answer) succeeds(t testing.TB, body string) answer {
	t.Helper()
	if r.status != http.StatusOK {
		t.Fatalf("answered %d %q", r.status, r.body)
	}
	if !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
		t.Errorf("answered as %q", r.header.Get("Content-Type"))
	}
	if body != "" && !sameJSON(r.body, body) {
		t.Errorf("answered %s, want %s", r.body, body)
	}
	return r
}

// refused fails unless the request was turned down with this status, in words that have this in them.
func (r answer) refused(t testing.TB, status int, text string) {
	t.Helper()
	if r.status != status || !strings.Contains(r.body, text) {
		t.Errorf("answered %d %q, want %d with %q", r.status, r.body, status, text)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	one, _ := json.Marshal(x)
	two, _ := json.Marshal(y)
	return string(one) == string(two)
}

// library is the app as Pusher's Go library has it.
func (a app) library() *pusher.Client {
	return &pusher.Client{AppID: a.id, Key: a.key, Secret: a.secret, Host: server.addr}
}
