package pgoutbox_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/internal/testenv"
	"github.com/pealhq/peal/mail"
	"github.com/pealhq/peal/mail/pgoutbox"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

func TestMain(m *testing.M) { testenv.MainNoLeaks(m) }

var _ mail.Outbox = (*pgoutbox.Outbox)(nil)

// world is a database with one tenant and an outbox.
type world struct {
	*pgoutbox.Outbox
	db    *pgdb.DB
	actor tenants.Actor
}

func newWorld(t *testing.T) *world {
	t.Helper()
	url := testenv.Postgres(t)
	sealer, err := tenants.NewSealer(tenants.NewKeyEncryptionKey())
	if err != nil {
		t.Fatal(err)
	}
	db, err := pgdb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	w := &world{Outbox: pgoutbox.New(pgoutbox.Config{DB: db, Sealer: sealer}), db: db, actor: tenants.Actor{TenantID: uuid.New(), Via: "test"}}
	w.exec(t, `INSERT INTO tenants (id, name) VALUES (@id, 'Acme')`, pgx.NamedArgs{"id": w.actor.TenantID})
	return w
}

func (w *world) exec(t *testing.T, sql string, args pgx.NamedArgs) {
	t.Helper()
	err := w.db.Write(t.Context(), pgdb.Platform(), func(q pgdb.Querier) error {
		_, err := pgdb.Exec(t.Context(), q, sql, args)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) enqueue(t *testing.T, to string) {
	t.Helper()
	err := w.db.Change(t.Context(), w.actor, func(c pgdb.Change) error {
		return w.Enqueue(t.Context(), c, mail.Message{To: to, Subject: "Hello", Text: "a link with token-1"})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) claim(t *testing.T, lease time.Duration) *mail.Waiting {
	t.Helper()
	m, err := w.Claim(t.Context(), lease)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAMailIsWrittenWithItsChange(t *testing.T) {
	w := newWorld(t)
	undone := errors.New("undone")
	err := w.db.Change(t.Context(), w.actor, func(c pgdb.Change) error {
		if err := w.Enqueue(t.Context(), c, mail.Message{To: "ann@example.com", Subject: "x", Text: "x"}); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if m := w.claim(t, time.Minute); m != nil {
		t.Errorf("a mail of a change that was not made: %+v", m)
	}
	w.enqueue(t, "ann@example.com")
	m := w.claim(t, time.Minute)
	if m == nil || m.To != "ann@example.com" || m.Subject != "Hello" || m.Text != "a link with token-1" || m.Attempt != 1 || time.Until(m.Until) < 23*time.Hour {
		t.Fatalf("claimed %+v", m)
	}
	if again := w.claim(t, time.Minute); again != nil {
		t.Errorf("claimed twice: %+v", again)
	}
	if err := w.Remove(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	if n := w.count(t); n != 0 {
		t.Errorf("%d mails are left", n)
	}
}

func (w *world) count(t *testing.T) int {
	t.Helper()
	row, err := pgdb.ReadOne[struct{ N int }](t.Context(), w.db, pgdb.Platform(), `SELECT count(*) AS n FROM outbox`, nil)
	if err != nil {
		t.Fatal(err)
	}
	return row.N
}

func TestTheDatabaseDoesNotHoldTheText(t *testing.T) {
	w := newWorld(t)
	w.enqueue(t, "ann@example.com")
	row, err := pgdb.ReadOne[struct {
		All    string
		Sealed []byte
	}](t.Context(), w.db, pgdb.Platform(), `SELECT outbox::text AS all, sealed FROM outbox`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(row.All+string(row.Sealed), "token-1") {
		t.Errorf("the row reads %q", row.All)
	}
	w.exec(t, `UPDATE outbox SET id = gen_random_uuid()`, nil)
	if m, err := w.Claim(t.Context(), time.Minute); err == nil {
		t.Errorf("a text that was copied to another mail opens: %+v", m)
	}
}

func TestEachMailGoesToOneWorker(t *testing.T) {
	w := newWorld(t)
	const mails, workers = 40, 4
	for range mails {
		w.enqueue(t, "ann@example.com")
	}
	var mu sync.Mutex
	var claimed []string
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for {
				m, err := w.Claim(t.Context(), time.Hour)
				if err != nil || m == nil {
					if err != nil {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				claimed = append(claimed, m.ID)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(claimed)
	if n := len(slices.Compact(slices.Clone(claimed))); n != mails || len(claimed) != mails {
		t.Errorf("%d mails were claimed %d times, want %d once each", n, len(claimed), mails)
	}
}

func TestAMailOfWhoDiedIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.enqueue(t, "ann@example.com")
	first := w.claim(t, 0) // whose lease is over at once
	second := w.claim(t, time.Minute)
	if second == nil || second.ID != first.ID || second.Attempt != 2 {
		t.Fatalf("%+v, then %+v", first, second)
	}
	if err := w.Delay(t.Context(), second.ID, 0); err != nil {
		t.Fatal(err)
	}
	if third := w.claim(t, time.Minute); third == nil || third.Attempt != 3 {
		t.Errorf("after a delay: %+v", third)
	}
}

func TestLateMailsAreNotSent(t *testing.T) {
	w := newWorld(t)
	w.enqueue(t, "ann@example.com")
	w.exec(t, `UPDATE outbox SET expires_at = now() - interval '1 second'`, nil)
	if m := w.claim(t, time.Minute); m != nil {
		t.Errorf("claimed %+v", m)
	}
	w.enqueue(t, "bo@example.com")
	if n, err := w.RemoveLate(t.Context()); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if n := w.count(t); n != 1 {
		t.Errorf("%d mails are left", n)
	}
}

func TestATenantReadsNoMail(t *testing.T) {
	w := newWorld(t)
	w.enqueue(t, "ann@example.com")
	err := w.db.Read(t.Context(), pgdb.Tenant(w.actor.TenantID), func(q pgdb.Querier) error {
		_, err := pgdb.One[struct{ N int }](t.Context(), q, `SELECT count(*) AS n FROM outbox`, nil)
		return err
	})
	if err == nil {
		t.Error("a tenant may read mails")
	}
	stranger := tenants.Actor{TenantID: w.actor.TenantID, Via: "test"}
	err = w.db.ChangeIn(context.WithoutCancel(t.Context()), pgdb.Tenant(uuid.New()), stranger, func(c pgdb.Change) error {
		return w.Enqueue(t.Context(), c, mail.Message{To: "ann@example.com", Subject: "x", Text: "x"})
	})
	if err == nil {
		t.Error("a tenant has another one's mail sent")
	}
}
