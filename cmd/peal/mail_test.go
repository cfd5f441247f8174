package main

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func mailSettings(t *testing.T, environ ...string) (settings, error) {
	t.Helper()
	return loadSettings(pflag.NewFlagSet("", pflag.ContinueOnError), environ)
}

func TestSettingsOfMailAreChecked(t *testing.T) {
	t.Parallel()
	const from, url = "PEAL_MAIL_FROM=Peal <peal@example.com>", "PEAL_DASHBOARD_URL=https://peal.example.com"
	for name, c := range map[string]struct {
		environ []string
		want    string // part of the mistake; empty is none
	}{
		"whole":              {[]string{"PEAL_SMTP_URL=smtp://me:hushhush@mail.example.com", from, url}, ""},
		"no mail at all":     {nil, ""},
		"no sender":          {[]string{"PEAL_SMTP_URL=smtp://me:hushhush@mail.example.com", url}, "mail_from"},
		"no dashboard":       {[]string{"PEAL_SMTP_URL=smtp://me:hushhush@mail.example.com", from}, "dashboard_url"},
		"no URL":             {[]string{"PEAL_SMTP_URL=me:hushhush@mail.example.com", from, url}, "not the URL of a mail server"},
		"a password in vain": {[]string{"PEAL_SMTP_URL=smtp://me:hushhush@mail.example.com?tls=off", from, url}, "without TLS"},
		"a broken sender":    {[]string{"PEAL_SMTP_URL=smtp://me:hushhush@mail.example.com", "PEAL_MAIL_FROM=Peal", url}, "is not a sender"},
	} {
		_, err := mailSettings(t, c.environ...)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		case err != nil && strings.Contains(err.Error(), "hushhush"):
			t.Errorf("%s: the password is told: %v", name, err)
		}
	}
}

// TestWhereMailGoes: to the server that is set, to the page of `peal dev`, or nowhere, which is said.
func TestWhereMailGoes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dev           bool
		environ       []string
		sends, page   bool
		warnsAtAStart bool
	}{
		"serve":                        {false, nil, false, false, true},
		"dev":                          {true, nil, true, true, false},
		"dev with a server of its own": {true, []string{"PEAL_SMTP_URL=smtp://mail.example.com", "PEAL_MAIL_FROM=a@example.com", "PEAL_DASHBOARD_URL=http://localhost:6002"}, true, false, false},
	} {
		s, err := mailSettings(t, c.environ...)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		p := &platform{store: &stores{}, metrics: newMetrics(), cfg: platformConfig{settings: s, dev: c.dev, log: slog.New(slog.NewTextHandler(&log, nil))}}
		if err := p.openMail(); err != nil {
			t.Fatal(err)
		}
		if p.mailing.sends != c.sends || strings.Contains(log.String(), "level=WARN") != c.warnsAtAStart {
			t.Errorf("%s: sends %v, logged %s", name, p.mailing.sends, log.String())
		}
		w := httptest.NewRecorder()
		p.opsHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/mail", nil))
		if shown := w.Code == http.StatusOK; shown != c.page {
			t.Errorf("%s: GET /mail is %d", name, w.Code)
		}
	}
}

func TestDoctorLooksAtTheMailServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	for url, want := range map[string]string{
		"":                              statusWarning,
		"smtp://me:hushhush@" + address: statusError,
	} {
		environ := []string{"PEAL_MAIL_FROM=a@example.com", "PEAL_DASHBOARD_URL=https://peal.example.com"}
		if url != "" {
			environ = append(environ, "PEAL_SMTP_URL="+url)
		}
		s, err := mailSettings(t, environ...)
		if err != nil {
			t.Fatal(err)
		}
		d := doctor{settings: s}
		d.examineMail(t.Context())
		if len(d.found) != 1 || d.found[0].Status != want || strings.Contains(d.found[0].Message, "hushhush") {
			t.Errorf("%q: %+v", url, d.found)
		}
	}
}
