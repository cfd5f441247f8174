package mail_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/pealhq/peal/mail"
)

// outbox is one in memory.
type outbox struct {
	mu    sync.Mutex
	mails map[string]*entry
}

type entry struct {
	mail.Waiting
	due time.Time
}

func (o *outbox) add(ids ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mails == nil {
		o.mails = map[string]*entry{}
	}
	for _, id := range ids {
		o.mails[id] = &entry{Waiting: mail.Waiting{Message: mail.Message{ID: id, To: "ann@example.com", Until: time.Now().Add(24 * time.Hour)}}, due: time.Now()}
	}
}

func (o *outbox) Claim(_ context.Context, lease time.Duration) (*mail.Waiting, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var ids []string
	for id, e := range o.mails {
		if !e.due.After(time.Now()) && e.Until.After(time.Now()) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	e := o.mails[slices.Min(ids)]
	e.due = time.Now().Add(lease)
	e.Attempt++
	w := e.Waiting
	return &w, nil
}

func (o *outbox) Remove(_ context.Context, id string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.mails, id)
	return nil
}

func (o *outbox) Delay(_ context.Context, id string, wait time.Duration) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mails[id].due = time.Now().Add(wait)
	return nil
}

func (o *outbox) RemoveLate(context.Context) (n int64, _ error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, e := range o.mails {
		if !e.Until.After(time.Now()) {
			delete(o.mails, id)
			n++
		}
	}
	return n, nil
}

func (o *outbox) left() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.mails)
}

// tries notes when each mail was tried, and answers as told.
type tries struct {
	mu     sync.Mutex
	at     map[string][]time.Time
	answer func(m mail.Message, n int) error
}

func (s *tries) Send(_ context.Context, m mail.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[string][]time.Time{}
	}
	s.at[m.ID] = append(s.at[m.ID], time.Now())
	return s.answer(m, len(s.at[m.ID]))
}

func TestAMailIsTriedUntilItIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		box := &outbox{}
		s := &tries{answer: func(m mail.Message, n int) error {
			switch {
			case m.ID == "refused":
				return mail.ErrRefused
			case m.ID == "never", m.ID == "third" && n < 3:
				return errors.New("away")
			}
			return nil
		}}
		box.add("first", "never", "refused", "third")
		w := mail.NewWorker(mail.WorkerConfig{Outbox: box, Sender: s, Logger: slog.New(slog.DiscardHandler)})
		done := make(chan error)
		go func() { done <- w.Run(ctx) }()
		time.Sleep(25 * time.Hour)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := box.left(); n != 0 {
			t.Errorf("%d mails are left", n)
		}
		for id, want := range map[string]int{"first": 1, "refused": 1, "third": 3} {
			if got := len(s.at[id]); got != want {
				t.Errorf("%s was tried %d times, want %d", id, got, want)
			}
		}
		gaps := s.at["never"]
		if len(gaps) < 20 || len(gaps) > 40 {
			t.Errorf("a server that is away was asked %d times in a day", len(gaps))
		}
		for i := 1; i < len(gaps); i++ {
			least := min(30*time.Second<<(i-1), time.Hour) * 4 / 5
			if i > 8 {
				least = time.Hour * 4 / 5
			}
			if gap := gaps[i].Sub(gaps[i-1]); gap < least || gap > 75*time.Minute {
				t.Errorf("gap %d is %s, want %s at least", i, gap, least)
			}
		}
		if n := testutil.CollectAndCount(w.Collectors()[0]); n != 4 {
			t.Errorf("%d results were counted, want sent, delayed, refused and late", n)
		}
	})
}

func TestWithoutAServer(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	m := mail.Message{ID: "1", To: "ann@example.com", Subject: "Join", Text: "https://peal.example.com/reset#token-of-the-link"}
	if err := (mail.Nowhere{Logger: logger}).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "ann@example.com") || strings.Contains(log.String(), "token-of-the-link") {
		t.Errorf("logged %s", log.String())
	}
}

func TestTheBoxShowsTheLastHundred(t *testing.T) {
	b := mail.NewBox(slog.New(slog.DiscardHandler))
	page := func() string {
		w := httptest.NewRecorder()
		b.ServeHTTP(w, httptest.NewRequest("GET", "/mail", nil))
		if !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("header %v", w.Header())
		}
		return w.Body.String()
	}
	if !strings.Contains(page(), "There is none yet") {
		t.Error("an empty box says nothing")
	}
	for i := range 105 {
		m := mail.Message{To: "ann@example.com", Subject: "<script>alert(1)</script>", Text: "Hello <b>\n\nhttp://localhost:6002/reset?a=1&b=\"#x\n\njavascript:alert(1)\n"}
		if i < 5 {
			m.Subject = "too old"
		}
		if err := b.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	got := page()
	if n := strings.Count(got, "<article>"); n != 100 || strings.Contains(got, "too old") {
		t.Errorf("%d mails", n)
	}
	if strings.Contains(got, "<script>") || strings.Contains(got, "<b>") || strings.Contains(got, `href="javascript`) {
		t.Errorf("what is in a mail is taken for the page's own:\n%s", got[:2000])
	}
	if !strings.Contains(got, `href="http://localhost:6002/reset?a=1&amp;b=%22#x"`) {
		t.Errorf("no link:\n%s", got[:2000])
	}
}
