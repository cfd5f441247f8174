package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"time"
)

// Admin is somebody who has signed up and works through the control door of one edge.
type Admin struct {
	base   string
	client *http.Client
}

// SignUp makes a tenant.
func (e *Edge) SignUp(ctx context.Context, name string) (*Admin, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	a := &Admin{base: "http://" + e.control + "/api/peal.admin.v1.", client: &http.Client{Jar: jar, Timeout: 10 * time.Second}}
	return a, a.call(ctx, "AuthService/SignUp", map[string]string{
		"email": name + "@example.com", "password": "a long walk by the river", "tenantName": name,
	}, nil)
}

// CreateApp makes an app and returns its id and its first key.
func (a *Admin) CreateApp(ctx context.Context, name string) (id, key string, err error) {
	var made struct {
		App struct {
			ID string `json:"id"`
		} `json:"app"`
		Key struct {
			Key string `json:"key"`
		} `json:"key"`
	}
	err = a.call(ctx, "AppService/CreateApp", map[string]string{"name": name}, &made)
	return made.App.ID, made.Key.Key, err
}

// Reveal returns the secret of a key.
func (a *Admin) Reveal(ctx context.Context, app, key string) (string, error) {
	var told struct {
		Secret string `json:"secret"`
	}
	err := a.call(ctx, "KeyService/RevealKey", map[string]string{"appId": app, "key": key}, &told)
	return told.Secret, err
}

// Revoke ends a key for good.
func (a *Admin) Revoke(ctx context.Context, app, key string) error {
	return a.call(ctx, "KeyService/RevokeKey", map[string]string{"appId": app, "key": key}, nil)
}

func (a *Admin) call(ctx context.Context, method string, ask, answer any) error {
	body, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+method, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Connect-Protocol-Version", "1")
	resp, err := a.client.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	defer func() { _ = resp.Body.Close() }() // It has been read.
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %d %s", method, resp.StatusCode, text)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s: %q: %w", method, text, err)
	}
	return nil
}
