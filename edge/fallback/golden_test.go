package fallback_test

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// transcript is what goes over connections, byte by byte, as a file in testdata holds it.
type transcript struct {
	e    *edge
	text strings.Builder
}

// request is what pusher-js sends; the browser's own headers are left out, but for the origin.
func request(method, path, body string, more ...string) string {
	head := method + " " + path + " HTTP/1.1\r\nHost: edge.test\r\nOrigin: https://page.example\r\nContent-Type: application/json\r\n"
	for _, line := range more {
		head += line + "\r\n"
	}
	return head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// wired is one connection of a transcript.
type wired struct {
	*transcript
	conn net.Conn
	got  []byte
}

// send opens a connection and sends on it.
func (tr *transcript) send(text string) *wired {
	tr.e.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(tr.e.url, "http://"))
	if err != nil {
		tr.e.t.Fatal(err)
	}
	tr.e.t.Cleanup(func() { conn.Close() })
	tr.note("> ", []byte(text))
	if _, err := conn.Write([]byte(text)); err != nil {
		tr.e.t.Fatal(err)
	}
	return &wired{transcript: tr, conn: conn}
}

// until reads until what has been read ends with something.
func (w *wired) until(end string) {
	w.e.t.Helper()
	_ = w.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 64<<10)
	for !bytes.HasSuffix(w.got, []byte(end)) {
		n, err := w.conn.Read(buf)
		w.got = append(w.got, buf[:n]...)
		if err != nil {
			w.e.t.Fatalf("read %q: %v", w.got, err)
		}
	}
	w.note("< ", w.got)
	w.got = nil
}

// note writes what went over the wire so that a person can read it and each byte can be told.
func (tr *transcript) note(mark string, text []byte) {
	s := regexp.MustCompile(`Date: [^\r]*`).ReplaceAllString(string(text), "Date: NOW")
	if without := withoutIDs(s); without != s {
		// Ids differ in length, and with them the length of what holds one.
		s = regexp.MustCompile(`[0-9a-f]+\r\n(a\[)|(Content-Length: )\d+`).ReplaceAllString(without, "${2}LENGTH\r\n$1")
		s = strings.ReplaceAll(s, "LENGTH\r\n\r\n", "LENGTH\r\n")
	}
	s = strings.ReplaceAll(s, strings.Repeat("h", 2048), "(2048 times h)")
	for line := range strings.SplitSeq(s, "\n") {
		tr.text.WriteString(mark + strings.ReplaceAll(line, "\r", `\r`) + "\n")
	}
}

func (tr *transcript) check(name string) {
	tr.e.t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(tr.text.String()), 0o644); err != nil {
			tr.e.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		tr.e.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), tr.text.String()); diff != "" {
		tr.e.t.Errorf("%s is not what goes over the wire; write it anew with -update:\n%s", name, diff)
	}
}

func TestGoldenStreaming(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	tr := &transcript{e: e}
	tr.send(request("OPTIONS", at+"/xhr_streaming"+query, "", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")).until("\r\n\r\n")
	w := tr.send(request("POST", at+"/xhr_streaming"+query, ""))
	w.until("]\n\r\n")
	tr.send(request("POST", at+"/xhr_send?t=1795375363067&n=2", `["{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"\",\"channel\":\"there\"}}"]`)).until("\r\n\r\n")
	w.until("]\n\r\n")
	e.deliver(`{"event":"e","channel":"there","data":"{\"n\":1}"}`)
	w.until("]\n\r\n")
	tr.send(request("POST", at+"/xhr_send?t=1795375363067&n=3", "[]")).until("\r\n\r\n")
	w.until("]\n\r\n")
	e.apps.set("key", newApp("1", false))
	e.registry.Recheck(t.Context(), "1")
	w.until("\r\n0\r\n\r\n")
	tr.send(request("POST", at+"/xhr_send?t=1795375363067&n=4", "[]")).until("Unknown session.")
	tr.check("streaming.txt")
}

func TestGoldenPolling(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	tr := &transcript{e: e}
	poll := request("POST", at+"/xhr"+query, "")
	tr.send(poll).until("o\n")
	tr.send(poll).until("]\n")
	tr.send(request("POST", at+"/xhr_send?t=1795375363067&n=2", `["{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"\",\"channel\":\"there\"}}"]`)).until("\r\n\r\n")
	tr.send(poll).until("]\n")
	e.deliver(`{"event":"e","channel":"there","data":"{\"n\":1}"}`)
	e.deliver(`{"event":"e","channel":"there","data":"{\"n\":2}"}`)
	tr.send(poll).until("]\n")
	e.apps.set("key", newApp("1", false))
	e.registry.Recheck(t.Context(), "1")
	tr.send(poll).until("]\n")
	tr.check("polling.txt")
}

func TestGoldenRefusals(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	tr := &transcript{e: e}
	const nobody, fenced = "/pusher/app/nobody/982/7f56mhf8", "/pusher/app/other/982/7f56mhf8"
	tr.send(request("POST", nobody+"/xhr_streaming"+query, "")).until("\r\n0\r\n\r\n")
	tr.send(request("POST", nobody+"/xhr"+query, "")).until("o\n")
	tr.send(request("POST", nobody+"/xhr"+query, "")).until("]\n")
	tr.send(request("POST", fenced+"/xhr_streaming"+query, "")).until("\r\n0\r\n\r\n")
	tr.send(request("GET", at+"/xhr"+query, "")).until("method not allowed")
	tr.send(request("POST", at+"/websocket", "")).until("not found")
	tr.check("refusals.txt")
}
