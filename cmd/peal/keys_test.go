package main

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pealhq/peal/tenants"
)

// TestKeysReseal rotates the key-encryption key as docs/operations.md has it, with publishes and new sockets all the time at edges
// of before and after: none is refused.
func TestKeysReseal(t *testing.T) {
	t.Parallel()
	env := cluster(t)
	old, fresh := strings.TrimPrefix(env[1], "PEAL_KEY_ENCRYPTION_KEY="), tenants.NewKeyEncryptionKey().Encode()
	with := func(set ...string) []string { return append(append([]string(nil), env...), set...) }
	beforehand := with("PEAL_OTHER_KEY_ENCRYPTION_KEYS=" + fresh)
	afterwards := with("PEAL_KEY_ENCRYPTION_KEY="+fresh, "PEAL_OTHER_KEY_ENCRYPTION_KEYS="+old)
	alone := with("PEAL_KEY_ENCRYPTION_KEY=" + fresh)

	runPeal(t, alone, append([]string{"serve"}, freePorts...)...).want(t, "the new key before its time", exitError, "wrong key-encryption key")
	edges := []*process{startServe(t, beforehand), startServe(t, afterwards)}
	untilReady(t, edges...)
	w := &liveWorld{t: t, edges: edges, http: &http.Client{}}
	t.Cleanup(w.http.CloseIdleConnections)
	a := &liveApp{w: w, id: "7", stay: liveKey{"abc", "def"}}
	var stopped atomic.Bool
	defer stopped.Store(true)
	var traffic sync.WaitGroup
	var served atomic.Int64
	for edge := range edges {
		traffic.Go(func() {
			for !stopped.Load() {
				if got := a.publish(edge, a.stay); got != http.StatusOK {
					t.Errorf("a publish at edge %d is answered with %d", edge, got)
				}
				if !a.letsIn(edge, "") {
					t.Errorf("edge %d lets nobody in", edge)
				}
				served.Add(2)
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	runDoctor(t, afterwards, exitOK).want(t, "key-encryption key", statusWarning, "peal keys reseal")
	runPeal(t, afterwards, "keys", "reseal", "--dry-run", "-o", "json").want(t, "dry run", exitOK, `"key": "other"`, `"rows": 1`)
	runPeal(t, afterwards, "keys", "reseal").want(t, "reseal", exitOK, "keys: 1 of 1 sealed anew", "RESEALED")
	runDoctor(t, afterwards, exitOK).want(t, "key-encryption key", statusOK, "sealed with")
	// A change makes every edge read the app anew.
	off := write(t, "renamed.yaml", "tenants:\n  - name: Acme\n    apps:\n      - {id: '7', name: renamed}\n")
	runPeal(t, alone, "apply", "-f", off, "--yes").want(t, "apply with the new key alone", exitOK, "app.renamed")
	time.Sleep(200 * time.Millisecond)
	stopped.Store(true)
	traffic.Wait()
	t.Logf("%d publishes and connects meanwhile", served.Load())

	third := startServe(t, alone)
	untilReady(t, third)
	w.edges = append(w.edges, third)
	if got := a.publish(2, a.stay); got != http.StatusOK {
		t.Errorf("with the new key alone: %d", got)
	}
	runPeal(t, env, "keys", "reseal", "-o", "json").want(t, "with the old key alone", exitError, `"resealed": 0`, `"unreadable": 1`, "could not be opened")
	runPeal(t, env, "keys", "reseal", "--dry-run").want(t, "with the old key alone", exitOK, "TABLE", "keys", "missing")
}

func TestKeyEncryptionKeysFromFiles(t *testing.T) {
	t.Parallel()
	one, two, three := tenants.NewKeyEncryptionKey(), tenants.NewKeyEncryptionKey(), tenants.NewKeyEncryptionKey()
	file := write(t, "key", one.Encode()+"\n")
	others := write(t, "others", two.Encode()+"\n\n"+three.Encode()+"\n")
	read := func(environ ...string) (keyring, error) {
		s, mistakes := readSettings(serveCommand().Flags(), environ)
		if len(mistakes) > 0 {
			return keyring{}, mistakes[0]
		}
		return keyEncryptionKeys(s)
	}
	for name, environ := range map[string][]string{
		"variables": {"PEAL_KEY_ENCRYPTION_KEY=" + one.Encode(), "PEAL_OTHER_KEY_ENCRYPTION_KEYS=" + two.Encode() + ", " + three.Encode()},
		"files":     {"PEAL_KEY_ENCRYPTION_KEY_FILE=" + file, "PEAL_OTHER_KEY_ENCRYPTION_KEYS_FILE=" + others},
	} {
		ring, err := read(environ...)
		if err != nil || ring.current != one || len(ring.others) != 2 || ring.others[0] != two || ring.others[1] != three {
			t.Errorf("%s: %d others, %v", name, len(ring.others), err)
		}
	}
	if ring, err := read("PEAL_KEY_ENCRYPTION_KEY=" + one.Encode()); err != nil || len(ring.others) != 0 {
		t.Errorf("without others: %v", err)
	}
	empty := write(t, "empty", "\n")
	for name, c := range map[string]struct {
		environ []string
		want    string
	}{
		"none":             {nil, "PEAL_KEY_ENCRYPTION_KEY is not set"},
		"both":             {[]string{"PEAL_KEY_ENCRYPTION_KEY=" + one.Encode(), "PEAL_KEY_ENCRYPTION_KEY_FILE=" + file}, "both set"},
		"no such file":     {[]string{"PEAL_KEY_ENCRYPTION_KEY_FILE=" + file + "x"}, "PEAL_KEY_ENCRYPTION_KEY_FILE"},
		"an empty file":    {[]string{"PEAL_KEY_ENCRYPTION_KEY_FILE=" + empty}, "holds no key"},
		"half a key":       {[]string{"PEAL_KEY_ENCRYPTION_KEY=" + one.Encode()[:20]}, "PEAL_KEY_ENCRYPTION_KEY must be 32 bytes"},
		"half another key": {[]string{"PEAL_KEY_ENCRYPTION_KEY=" + one.Encode(), "PEAL_OTHER_KEY_ENCRYPTION_KEYS=" + two.Encode() + ",x"}, "key 2"},
	} {
		_, err := read(c.environ...)
		if err == nil || !strings.Contains(err.Error(), c.want) || exitCode(err) != exitUsage {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), one.Encode()[:20]) {
			t.Errorf("%s: the error holds the key", name)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}
