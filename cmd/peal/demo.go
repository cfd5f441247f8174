package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgpeople"
)

// The demo of `peal dev`. Everybody knows these; they exist only in a private data folder.
const (
	demoTenant   = "Demo"
	demoEmail    = "dev@peal.local"
	demoPassword = "peal-dev-password" //nolint:gosec // Printed on purpose.
	demoApp      = "Demo app"
	demoAppID    = "1"
	demoKey      = "peal-dev-key"
	demoSecret   = "peal-dev-secret" //nolint:gosec // Printed on purpose.
)

// seedDemo makes the demo tenant, its owner and its app, once: what was changed or deleted since stays so.
func seedDemo(ctx context.Context, store *stores) error {
	switch _, err := store.people.Credentials(ctx, demoEmail); {
	case err == nil:
		return nil
	case !errors.Is(err, tenants.ErrNotFound):
		return err
	}
	app := tenants.ManifestApp{
		ID: demoAppID, Name: demoApp,
		Keys: []tenants.Key{{Public: demoKey, Secret: tenants.NewSecret(demoSecret)}},
	}
	m := tenants.Manifest{Tenants: []tenants.ManifestTenant{{Name: demoTenant, Apps: []tenants.ManifestApp{app}}}}
	if _, err := store.Apply(ctx, tenants.Actor{Via: "seed"}, m, false); err != nil {
		return err
	}
	hash, err := tenants.NewPasswords(1).Hash(ctx, demoPassword)
	if err != nil {
		return err
	}
	// Last, because that the owner exists tells that all of this was done.
	return store.people.AddOwner(ctx, tenants.Actor{Via: "seed"}, pgpeople.SignUp{
		Email: demoEmail, PasswordHash: hash, TenantName: demoTenant, EmailVerified: true,
	})
}

// demoState tells whether the demo's app and key are still there.
type demoState struct{ usable bool }

func findDemo(ctx context.Context, store *stores) (demoState, error) {
	app, err := store.AppByID(ctx, demoAppID)
	if errors.Is(err, tenants.ErrNotFound) {
		return demoState{}, nil
	}
	if err != nil {
		return demoState{}, err
	}
	key, ok := app.Key(demoKey)
	return demoState{usable: ok && app.Enabled && key.Secret.Reveal() == demoSecret}, nil
}

// printJSON prints what a program needs to use the platform. The demo's part is left out when it is gone.
func printJSON(w io.Writer, a addresses, demo demoState) {
	out := map[string]string{"edge_url": a.edge.String(), "dashboard_url": a.dashboard.String(), "ops_url": a.ops.String()}
	if demo.usable {
		out["app_id"], out["key"], out["secret"] = demoAppID, demoKey, demoSecret
	}
	json.NewEncoder(w).Encode(out) //nolint:errcheck,errchkjson // Strings encode; a closed stdout is the reader's wish.
}

func printWelcome(w io.Writer, a addresses, demo demoState) {
	fmt.Fprintf(w, `Peal is up.

  Dashboard  %s
  Log in     %s  /  %s
  Edge       %s
  Ops        %s
`, a.dashboard, demoEmail, demoPassword, a.edge, a.ops)
	if !demo.usable {
		fmt.Fprint(w, "\nThe demo app was deleted, disabled or its key revoked; the dashboard shows your apps.\n\n")
		return
	}
	fmt.Fprintf(w, `
  App id     %s
  Key        %s
  Secret     %s

Publish your first event (the dashboard's Get started page shows it arrive):

%s
`, demoAppID, demoKey, demoSecret, curlLine(a.edge.String()))
}

// curlLine returns a line of shell that signs and publishes an event of the demo app, whenever it is run.
func curlLine(edge string) string {
	return `body='{"name":"my-event","channel":"my-channel","data":"{\"hello\":\"world\"}"}'; ` +
		`query="auth_key=` + demoKey + `&auth_timestamp=$(date +%s)&auth_version=1.0` +
		`&body_md5=$(printf %s "$body" | openssl md5 -r | cut -d' ' -f1)"; ` +
		`curl -sS -H 'Content-Type: application/json' -d "$body" ` +
		`"` + edge + `/apps/` + demoAppID + `/events?$query` +
		`&auth_signature=$(printf 'POST\n/apps/` + demoAppID + `/events\n%s' "$query" | openssl sha256 -r -hmac ` + demoSecret + ` | cut -d' ' -f1)"` + "\n"
}
