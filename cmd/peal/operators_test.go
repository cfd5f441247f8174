package main

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestOperatorsAreMadeOnTheHost(t *testing.T) {
	t.Parallel()
	url, env := database(t)
	runPeal(t, env, "migrate", "up").want(t, "up", exitOK)
	if out := runPealWith(t, env, "tidal-otter-lamp-nine\n", "operators", "create", "ops@example.com", "--password-stdin"); out.code != 0 ||
		out.stdout != "ops@example.com is an operator now\n" {
		t.Fatalf("create: %+v", out)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), `INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), 'squatter@example.com', '')`); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		stdin string
		args  []string
		code  int
		says  string
	}{
		{"", []string{"create", "ops@example.com"}, exitOK, "is an operator already"},
		{"short\n", []string{"create", "two@example.com", "--password-stdin"}, exitUsage, "the password: "},
		{"", []string{"create", "two@example.com"}, exitUsage, "--password-stdin"},
		{"", []string{"create", "two"}, exitUsage, "EMAIL: "},
		{"", []string{"create"}, exitUsage, "the address of one person"},
		{"", []string{"list"}, exitOK, "ops@example.com"},
		{"", []string{"list", "-o", "json"}, exitOK, `"email": "ops@example.com"`},
		{"", []string{"list", "-o", "xml"}, exitUsage, "neither table nor json"},
		{"", []string{"remove", "two@example.com"}, exitNotFound, "is no operator"},
		{"", []string{"remove", "ops@example.com"}, exitOK, "is no operator any more"},
		{"", []string{"remove", "ops@example.com"}, exitNotFound, "is no operator"},
		{"", []string{"create", "ops@example.com"}, exitOK, "is an operator now"}, // who is a user needs no password
		{"", []string{"crate"}, exitUsage, "create"},
		{"", []string{"create", "squatter@example.com"}, exitUsage, "has never verified the address"},
		{"", []string{"create", "squatter@example.com", "--unverified"}, exitOK, "is an operator now"},
	} {
		out := runPealWith(t, env, c.stdin, append([]string{"operators"}, c.args...)...)
		if out.code != c.code || !strings.Contains(out.stdout+out.stderr, c.says) {
			t.Errorf("operators %v: %+v", c.args, out)
		}
	}
}
