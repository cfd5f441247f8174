package mail_test

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"

	"github.com/pealhq/peal/mail"
)

const from = "Peal <peal@example.com>"

// sender returns one for a server's URL.
func sender(t *testing.T, s *mailServer, format string) *mail.SMTP {
	t.Helper()
	server, err := mail.ParseServer(fmt.Sprintf(format, s.start()))
	if err != nil {
		t.Fatal(err)
	}
	smtp, err := mail.NewSMTP(mail.SMTPConfig{Server: server, From: from, Roots: s.roots})
	if err != nil {
		t.Fatal(err)
	}
	return smtp
}

func message() mail.Message {
	return mail.Message{
		ID: "0199", To: "ann@example.com", Subject: "Join “Äcme” on Peal",
		Text: "Hello,\n\n.a line that begins with a dot, and one with an umlaut: ä\n\nhttps://peal.example.com/invitation#" + strings.Repeat("x", 90) + "\n",
	}
}

func TestMailArrivesAsItWasWritten(t *testing.T) {
	for name, c := range map[string]struct {
		url   string
		setUp func(*mailServer)
		tls   bool
	}{
		"STARTTLS":                  {"smtp://%s", func(*mailServer) {}, true},
		"STARTTLS with a password":  {"smtp://me:p%%40ss@%s", func(s *mailServer) { s.user, s.password = "me", "p@ss" }, true},
		"TLS from the start":        {"smtps://me:secret@%s", func(s *mailServer) { s.implicit, s.user, s.password = true, "me", "secret" }, true},
		"a relay next door, no TLS": {"smtp://%s?tls=off", func(s *mailServer) { s.noSTARTTLS = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newMailServer(t)
			c.setUp(s)
			smtp := sender(t, s, c.url)
			if err := smtp.Check(t.Context()); err != nil {
				t.Errorf("check: %v", err)
			}
			if err := smtp.Send(t.Context(), message()); err != nil {
				t.Fatal(err)
			}
			got := s.mails()
			if len(got) != 1 {
				t.Fatalf("%d mails arrived", len(got))
			}
			if got[0].from != "peal@example.com" || got[0].to != "ann@example.com" || got[0].tls != c.tls || got[0].auth != (s.user != "") {
				t.Errorf("%+v", got[0])
			}
			wantMail(t, got[0].text)
		})
	}
}

// wantMail reads a mail as a mail program does.
func wantMail(t *testing.T, text string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != message().Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	if id := m.Header.Get("Message-ID"); id != "<0199@example.com>" {
		t.Errorf("id %q", id)
	}
	if a := m.Header.Get("Auto-Submitted"); a != "auto-generated" {
		t.Errorf("auto-submitted %q", a)
	}
	r := m.Body
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		r = quotedprintable.NewReader(r)
	}
	body, err := io.ReadAll(r)
	if got := strings.TrimSpace(strings.ReplaceAll(string(body), "\r\n", "\n")); err != nil || got != strings.TrimSpace(message().Text) {
		t.Errorf("text %q, %v", got, err)
	}
}

func TestNothingIsSaidWithoutTLS(t *testing.T) {
	t.Parallel()
	s := newMailServer(t)
	s.noSTARTTLS, s.user, s.password = true, "me", "secret"
	smtp := sender(t, s, "smtp://me:secret@%s")
	if err := smtp.Send(t.Context(), message()); err == nil {
		t.Error("a mail was sent in the clear")
	} else if strings.Contains(err.Error(), "secret") {
		t.Errorf("the password is told: %v", err)
	}
	if err := smtp.Check(t.Context()); err == nil {
		t.Error("the check is content without TLS")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.leaked) > 0 || len(s.got) > 0 {
		t.Errorf("said in the clear: %q, %d mails", s.leaked, len(s.got))
	}
}

func TestAServerThatIsNotWhoItSays(t *testing.T) {
	t.Parallel()
	s := newMailServer(t)
	_, s.roots = certificate(t, "127.0.0.1") // another one of the same name
	if err := sender(t, s, "smtp://%s").Send(t.Context(), message()); err == nil || len(s.mails()) > 0 {
		t.Errorf("%v, %d mails", err, len(s.mails()))
	}
}

func TestWhatIsRefusedForGood(t *testing.T) {
	for name, c := range map[string]struct {
		setUp   func(*mailServer)
		forGood bool
	}{
		"no such mailbox":     {func(s *mailServer) { s.rcpt = "550 5.1.1 no such mailbox" }, true},
		"a full mailbox":      {func(s *mailServer) { s.rcpt = "452 4.2.2 full" }, false},
		"a text it hates":     {func(s *mailServer) { s.data = "554 5.7.1 spam" }, true},
		"a server in a hurry": {func(s *mailServer) { s.data = "451 4.3.0 later" }, false},
		"a wrong password":    {func(s *mailServer) { s.user, s.password = "me", "another" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newMailServer(t)
			c.setUp(s)
			url := "smtp://%s"
			if s.user != "" {
				url = "smtp://me:secret@%s"
			}
			err := sender(t, s, url).Send(t.Context(), message())
			if err == nil || errors.Is(err, mail.ErrRefused) != c.forGood {
				t.Errorf("%v, for good: %v, want %v", err, errors.Is(err, mail.ErrRefused), c.forGood)
			}
		})
	}
	t.Run("an address that is none", func(t *testing.T) {
		m := message()
		m.To = "ann@example.com\r\nBcc: everybody@example.com"
		s := newMailServer(t)
		if err := sender(t, s, "smtp://%s").Send(t.Context(), m); !errors.Is(err, mail.ErrRefused) || len(s.mails()) > 0 {
			t.Errorf("%v", err)
		}
	})
}

func TestParseServer(t *testing.T) {
	for text, want := range map[string]string{
		"smtp://mail.example.com":              "smtp://mail.example.com:587",
		"smtp://me:secret@mail.example.com:25": "smtp://mail.example.com:25",
		"smtps://me:secret@mail.example.com":   "smtps://mail.example.com:465",
		"smtp://[::1]:2525?tls=off":            "smtp://[::1]:2525",
	} {
		s, err := mail.ParseServer(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for _, got := range []string{s.String(), fmt.Sprint(s), fmt.Sprintf("%#v", s), fmt.Sprintf("%+v", &s)} {
			if got != want {
				t.Errorf("%s reads %s, want %s", text, got, want)
			}
		}
	}
	for _, text := range []string{
		"", "mail.example.com", "http://me:secret@mail.example.com", "smtp://", "smtp://me:secret@:587", "smtp://me@mail.example.com",
		"smtp://:secret@mail.example.com", "smtp://me:secret@mail.example.com/path", "smtp://me:secret@mail.example.com?tls=off",
		"smtps://mail.example.com?tls=off", "smtp://mail.example.com?tls=on", "smtp://me:secret@mail.example.com?x=secret",
		"smtp://me:secret@mail.example.com:0", "smtp://me:secret@mail.example.com:99999", "smtp://me:sec ret@[mail", "smtp://me:secret@host:secret",
	} {
		if s, err := mail.ParseServer(text); err == nil {
			t.Errorf("%q was taken as %v", text, s)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the password is told: %v", text, err)
		}
	}
}
