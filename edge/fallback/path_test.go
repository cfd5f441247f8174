package fallback

import (
	"net/url"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	s := NewServer(Config{PathPrefix: "/rt"})
	long := strings.Repeat("a", maxSession)
	for path, want := range map[string]address{
		"/pusher/app/KEY/982/7f56mhf8/xhr_streaming": {"KEY", "982", "7f56mhf8"},
		"/rt/app/KEY/0/a/xhr":                        {"KEY", "0", "a"},
		"/rt/pusher/app/KEY/999/A-_z/xhr_send":       {"KEY", "999", "A-_z"},
		"/rt/app/K%2FE%25Y/1/" + long + "/xhr":       {"K/E%Y", "1", long},
		"/rt/app/%2e%2e/1/a/xhr":                     {"..", "1", "a"},
	} {
		if got, how, ok := s.parse(path); !ok || got != want || !strings.HasSuffix(path, "/"+string(how)) {
			t.Errorf("%s: %v %q %v", path, got, how, ok)
		}
	}
	for _, path := range []string{
		"", "/", "/rt/app/KEY", "/rt/app/KEY/", "/rt/app/KEY/1/a", "/rt/app/KEY/1/a/", "/rt/app/KEY/1/a/xhr/", "/rt/app/KEY/1/a/xhr/x",
		"/rt/app//1/a/xhr", "/rt/app/KEY//a/xhr", "/rt/app/KEY/1//xhr", "/rt/app/KEY/1000/a/xhr", "/rt/app/KEY/01/a/xhr", "/rt/app/KEY/-1/a/xhr",
		"/rt/app/KEY/+1/a/xhr", "/rt/app/KEY/1e1/a/xhr", "/rt/app/KEY/٣/a/xhr", "/rt/app/KEY/1/a%62/xhr", "/rt/app/KEY/1/a.b/xhr", "/rt/app/KEY/1/../xhr",
		"/rt/app/KEY/1/" + long + "a/xhr", "/rt/app/KEY/1/a/xhr_", "/rt/app/KEY/1/a/XHR", "/rt/app/KEY/1/a/websocket", "/rt/app/KEY/1/a/jsonp",
		"/rt/app/KEY/1/a/htmlfile", "/rt/app/KEY/1/a/eventsource", "/rt/app/%zz/1/a/xhr", "/app/KEY/1/a/xhr", "/pusher/info", "/pusher/iframe.html",
		"//rt/app/KEY/1/a/xhr", "/rt//app/KEY/1/a/xhr", "/rt/app/KEY%2F1%2Fa%2Fxhr",
	} {
		if got, how, ok := s.parse(path); ok {
			t.Errorf("%s: %v %q", path, got, how)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, path := range []string{"/pusher/app/KEY/982/7f56mhf8/xhr_streaming", "/rt/app/K%2FY/0/a/xhr", "/rt/app/KEY/1/a/xhr_send", "/rt/app/KEY/01/../xhr"} {
		f.Add(path)
	}
	s := NewServer(Config{PathPrefix: "/rt"})
	f.Fuzz(func(t *testing.T, path string) {
		at, how, ok := s.parse(path)
		if !ok {
			return
		}
		if !s.Serves(path) {
			t.Errorf("%q can be read and is not served", path)
		}
		if at.key == "" || !isServer(at.server) || !isSession(at.session) || how != streaming && how != polling && how != sending {
			t.Fatalf("%q: %+v %q", path, at, how)
		}
		// What was read is written in one way only, but for how the key is escaped.
		again, _, ok := s.parse("/pusher/app/" + url.PathEscape(at.key) + "/" + at.server + "/" + at.session + "/" + string(how))
		if !ok || again != at {
			t.Errorf("%q: %+v, and then %+v", path, at, again)
		}
	})
}
