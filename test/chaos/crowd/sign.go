package crowd

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pealhq/peal/test/chaos/ledger"
)

// signer calls the HTTP API for one app.
type signer struct{ app App }

func newSigner(app App) *signer { return &signer{app} }

// event is the body that publishes an id.
func (s *signer) event(channel string, id ledger.ID) string {
	return `{"name":"chaos","channel":"` + channel + `","data":"` + string(id.AppendData(nil)) + `"}`
}

func (s *signer) post(ctx context.Context, client *http.Client, addr, route, body, key string, bad bool) (*http.Response, error) {
	digest := md5.Sum([]byte(body))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		s.url(http.MethodPost, addr, route, bad, "body_md5="+hex.EncodeToString(digest[:])), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	// The transport sends a request again by itself when a connection has gone stale, if it knows how and has a key. Then
	// what is written down would not be what happened.
	req.GetBody = nil
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	return client.Do(req)
}

// url returns the address of a call with its signature. The parameters come in the order of their names, auth ones first.
func (s *signer) url(method, addr, route string, bad bool, params ...string) string {
	path := "/apps/" + s.app.ID + route
	query := strings.Join(append([]string{
		"auth_key=" + s.app.Key, "auth_timestamp=" + strconv.FormatInt(time.Now().Unix(), 10), "auth_version=1.0",
	}, params...), "&")
	secret := s.app.Secret
	if bad {
		secret += "-not"
	}
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, method+"\n"+path+"\n"+query) // A hash takes everything.
	return "http://" + addr + path + "?" + query + "&auth_signature=" + hex.EncodeToString(mac.Sum(nil))
}

// dialFailed tells whether a request never left.
func dialFailed(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// queryTimeout bounds a question.
const queryTimeout = 5 * time.Second

// Users asks an edge who is on a presence channel.
func Users(ctx context.Context, app App, addr, channel string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		newSigner(app).url(http.MethodGet, addr, "/channels/"+url.PathEscape(channel)+"/users", false), nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for users: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // It has been read.
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("ask for users: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for users: %d %s", resp.StatusCode, text)
	}
	var list struct {
		Users []struct {
			ID string `json:"id"`
		} `json:"users"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("ask for users: %q: %w", text, err)
	}
	var ids []string
	for _, u := range list.Users {
		ids = append(ids, u.ID)
	}
	return ids, nil
}

// PublishOnce publishes one event and returns the status, 0 where none came. A row uses it to see who is let in.
func PublishOnce(ctx context.Context, app App, addr, channel string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	s := newSigner(app)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := s.post(ctx, client, addr, "/events", `{"name":"once","channel":"`+channel+`","data":"x"}`, "", false)
	if err != nil {
		return 0, err
	}
	_ = resp.Body.Close() // The status is what was asked for.
	return resp.StatusCode, nil
}
