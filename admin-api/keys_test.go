package adminapi_test

import (
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func TestKeyScopesAndRotation(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	app, first := ann.app(t, "Chat")
	ctx, id := t.Context(), app.GetId()
	if len(first.GetScopes()) != 1 || first.GetScopes()[0] != adminv1.KeyScope_KEY_SCOPE_ALL || first.GetLastUseTime() != nil {
		t.Errorf("the first key %v", first)
	}
	made, err := ann.keys.CreateKey(ctx, &adminv1.CreateKeyRequest{
		AppId: id, Label: "  Billing ", Scopes: []adminv1.KeyScope{adminv1.KeyScope_KEY_SCOPE_QUERY, adminv1.KeyScope_KEY_SCOPE_PUBLISH},
	})
	if err != nil {
		t.Fatal(err)
	}
	k := made.GetKey()
	if k.GetLabel() != "Billing" || len(k.GetScopes()) != 2 || k.GetScopes()[0] != adminv1.KeyScope_KEY_SCOPE_PUBLISH || k.GetScopes()[1] != adminv1.KeyScope_KEY_SCOPE_QUERY {
		t.Errorf("made %v", k)
	}
	renamed, err := ann.keys.RenameKey(ctx, &adminv1.RenameKeyRequest{AppId: id, Key: k.GetKey(), Label: ""})
	if err != nil || renamed.GetKey().GetLabel() != "" {
		t.Errorf("renamed %v, %v", renamed, err)
	}
	began := time.Now()
	r, err := ann.keys.RotateKey(ctx, &adminv1.RotateKeyRequest{AppId: id, Key: k.GetKey()})
	if err != nil {
		t.Fatal(err)
	}
	if old := r.GetOld(); old.GetState() != adminv1.KeyState_KEY_STATE_RETIRING || old.GetRetireTime().AsTime().Sub(began).Round(time.Minute) != 24*time.Hour {
		t.Errorf("without an overlap of one's own: %v", r.GetOld())
	}
	if len(r.GetKey().GetScopes()) != 2 || r.GetKey().GetState() != adminv1.KeyState_KEY_STATE_ACTIVE {
		t.Errorf("the new key: %v", r.GetKey())
	}
	_, err = ann.keys.RotateKey(ctx, &adminv1.RotateKeyRequest{AppId: id, Key: k.GetKey()})
	wantCode(t, "rotate what retires", err, connect.CodeFailedPrecondition)
	kept, err := ann.keys.KeepKey(ctx, &adminv1.KeepKeyRequest{AppId: id, Key: k.GetKey()})
	if err != nil || kept.GetKey().GetState() != adminv1.KeyState_KEY_STATE_ACTIVE || kept.GetKey().GetRetireTime() != nil {
		t.Errorf("kept %v, %v", kept, err)
	}
	_, err = ann.keys.KeepKey(ctx, &adminv1.KeepKeyRequest{AppId: id, Key: k.GetKey()})
	wantCode(t, "keep what does not retire", err, connect.CodeFailedPrecondition)
	now, err := ann.keys.RotateKey(ctx, &adminv1.RotateKeyRequest{AppId: id, Key: k.GetKey(), Overlap: durationpb.New(0)})
	if err != nil || now.GetOld().GetState() != adminv1.KeyState_KEY_STATE_REVOKED || now.GetOld().GetRevokeTime() == nil {
		t.Errorf("without any overlap: %v, %v", now, err)
	}
	for name, overlap := range map[string]time.Duration{"negative": -time.Second, "too long": 30*24*time.Hour + time.Second} {
		_, err = ann.keys.RotateKey(ctx, &adminv1.RotateKeyRequest{AppId: id, Key: first.GetKey(), Overlap: durationpb.New(overlap)})
		wantViolation(t, name, err, connect.CodeInvalidArgument, "overlap", "")
	}
	_, err = ann.keys.CreateKey(ctx, &adminv1.CreateKeyRequest{AppId: id, Label: strings.Repeat("x", 61)})
	wantViolation(t, "a long label", err, connect.CodeInvalidArgument, "label", "60 characters")
	_, err = ann.keys.RenameKey(ctx, &adminv1.RenameKeyRequest{AppId: id, Key: first.GetKey(), Label: "a\x00b"})
	wantViolation(t, "a NUL", err, connect.CodeInvalidArgument, "label", "control")
	for name, scope := range map[string]adminv1.KeyScope{"none": 0, "unknown": 99} {
		_, err = ann.keys.CreateKey(ctx, &adminv1.CreateKeyRequest{AppId: id, Scopes: []adminv1.KeyScope{scope}})
		wantCode(t, name, err, connect.CodeInvalidArgument)
	}
}
