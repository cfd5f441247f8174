// Package pgoutbox keeps mails in PostgreSQL until they are sent. A mail is written in the transaction of the change that it
// tells of: it is not lost when a process dies, nor sent when the change is not made. It never sends; package mail does.
//
// Start with [Outbox.Enqueue].
package pgoutbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/mail"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// goodFor is how long a mail is worth sending that does not say.
const goodFor = 24 * time.Hour

// Config is what an [Outbox] needs.
type Config struct {
	DB *pgdb.DB
	// Sealer seals the texts: a link in one may be as good as a password, and a copy of the database must not hold it.
	Sealer *tenants.Sealer
}

// Outbox is the table of mails that wait. Its methods may be called at once.
type Outbox struct {
	db     *pgdb.DB
	sealer *tenants.Sealer
}

// New returns an outbox.
func New(cfg Config) *Outbox { return &Outbox{db: cfg.DB, sealer: cfg.Sealer} }

// Enqueue has a mail sent when the change commits. The mail's ID is made here.
func (o *Outbox) Enqueue(ctx context.Context, c pgdb.Change, m mail.Message) error {
	id := uuid.Must(uuid.NewV7())
	sealed := o.sealer.SealText(sealContext(id), tenants.NewSecret(m.Text))
	until := m.Until
	if until.IsZero() {
		until = time.Now().Add(goodFor)
	}
	_, err := pgdb.Exec(ctx, c, `
		INSERT INTO outbox (id, tenant_id, recipient, subject, sealed, sealed_with, expires_at)
		VALUES (@id, @tenant, @to, @subject, @sealed, @with, @until)`,
		pgx.NamedArgs{
			"id": id, "tenant": uuid.NullUUID{UUID: c.Actor.TenantID, Valid: c.Actor.TenantID != uuid.Nil},
			"to": m.To, "subject": m.Subject, "sealed": sealed.Bytes, "with": sealed.With, "until": until,
		})
	if err != nil {
		return fmt.Errorf("enqueue mail: %w", err)
	}
	return nil
}

func sealContext(id uuid.UUID) string { return "mail|" + id.String() }

// Claim implements [mail.Outbox].
func (o *Outbox) Claim(ctx context.Context, lease time.Duration) (*mail.Waiting, error) {
	type row struct {
		ID         uuid.UUID
		Recipient  string
		Subject    string
		Sealed     []byte
		SealedWith string
		Attempts   int
		ExpiresAt  time.Time
	}
	var r row
	err := o.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) (err error) {
		r, err = pgdb.One[row](ctx, q, `
			UPDATE outbox
			SET attempts = attempts + 1, next_at = now() + @lease
			WHERE id = (
				SELECT id
				FROM outbox
				WHERE next_at <= now() AND expires_at > now()
				ORDER BY next_at, id
				LIMIT 1
				FOR UPDATE SKIP LOCKED
			)
			RETURNING id, recipient, subject, sealed, sealed_with, attempts, expires_at`,
			pgx.NamedArgs{"lease": lease})
		return err
	})
	if errors.Is(err, tenants.ErrNotFound) {
		return nil, nil //nolint:nilnil // None is due.
	}
	if err != nil {
		return nil, fmt.Errorf("claim a mail: %w", err)
	}
	text, err := o.sealer.OpenText(sealContext(r.ID), tenants.Sealed{Bytes: r.Sealed, With: r.SealedWith})
	if err != nil {
		return nil, fmt.Errorf("claim mail %s: %w", r.ID, err)
	}
	m := mail.Message{ID: r.ID.String(), To: r.Recipient, Subject: r.Subject, Text: text.Reveal(), Until: r.ExpiresAt}
	return &mail.Waiting{Message: m, Attempt: r.Attempts}, nil
}

// Remove implements [mail.Outbox].
func (o *Outbox) Remove(ctx context.Context, id string) error {
	_, err := o.write(ctx, `DELETE FROM outbox WHERE id = @id`, pgx.NamedArgs{"id": id})
	if err != nil {
		return fmt.Errorf("remove mail: %w", err)
	}
	return nil
}

// Delay implements [mail.Outbox].
func (o *Outbox) Delay(ctx context.Context, id string, wait time.Duration) error {
	_, err := o.write(ctx, `UPDATE outbox SET next_at = now() + @wait WHERE id = @id`, pgx.NamedArgs{"id": id, "wait": wait})
	if err != nil {
		return fmt.Errorf("delay mail: %w", err)
	}
	return nil
}

// RemoveLate implements [mail.Outbox]. A mail that somebody is sending is not late yet.
func (o *Outbox) RemoveLate(ctx context.Context) (int64, error) {
	n, err := o.write(ctx, `DELETE FROM outbox WHERE expires_at <= now() AND (attempts = 0 OR next_at <= now() OR expires_at <= now() - interval '1 hour')`, nil)
	if err != nil {
		return 0, fmt.Errorf("remove late mails: %w", err)
	}
	return n, nil
}

func (o *Outbox) write(ctx context.Context, sql string, args pgx.NamedArgs) (n int64, err error) {
	err = o.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) error {
		n, err = pgdb.Exec(ctx, q, sql, args)
		return err
	})
	return n, err
}
