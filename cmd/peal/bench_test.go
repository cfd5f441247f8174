package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pealhq/peal/bench"
	"github.com/pealhq/peal/bench/plain"
)

func TestBench(t *testing.T) {
	srv := httptest.NewServer(plain.New())
	t.Cleanup(srv.Close)
	addr := srv.Listener.Addr().String()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"bench", "fanout", "--target", "a=" + addr, "--target", "b=" + addr, "--app-id", "1", "--key", "k", "--secret-file", secret,
		"--subscribers", "5", "--warmup", "10ms", "--duration", "100ms", "--settle", "10ms",
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), append(args, "-o", "json"), nil, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	var res bench.Result
	if err := json.Unmarshal(stdout.Bytes(), &res); err != nil {
		t.Fatal(err)
	}
	if len(res.Targets) != 2 || res.Targets[1].Rounds[0].Counts.Delivered == 0 || len(res.Ratios) == 0 {
		t.Errorf("%s", &stdout)
	}
	stdout.Reset()
	if code := run(t.Context(), args, nil, &stdout, &stderr); code != exitOK || !strings.Contains(stdout.String(), "DELIVERIES/S") {
		t.Errorf("exit %d: %s%s", code, &stdout, &stderr)
	}
}

func TestBenchArguments(t *testing.T) {
	t.Setenv(benchSecret, "s")
	const here = "127.0.0.1:1"
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "name one scenario: idle, connect, fanout, channels, publish, presence, cluster"},
		{[]string{"dance", "--target", here, "--app-id", "1", "--key", "k"}, `there is no scenario "dance"`},
		{[]string{"fanout"}, "--target is missing"},
		{[]string{"fanout", "--target", here}, "--app-id is missing for 127.0.0.1:1"},
		{[]string{"fanout", "--target", "192.0.2.7:80", "--app-id", "1", "--key", "k"}, "--target 192.0.2.7:80 is 192.0.2.7, which is not this machine; add --allow-remote"},
		{[]string{"fanout", "--target", here, "--app-id", "1", "--key", "k", "--window", "9999"}, "--window must be between 1 and 4096"},
		{[]string{"fanout", "--target", here, "--app-id", "1", "--key", "k", "-o", "xml"}, "--output must be table or json"},
		{[]string{"fanout", "--target", here, "--target", "b=" + here, "--app-id", "1", "--key", "k", "--pid", "1"}, "--pid is for one target"},
		{[]string{"fanout", "--target", here, "--app-id", "1", "--key", "k", "--secret-file", "/nowhere/secret"}, "--secret-file: "},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"bench"}, c.args...), nil, &stdout, &stderr)
		if code != exitUsage || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v: exit %d, %s; want %s", c.args, code, &stderr, c.want)
		}
	}
}
