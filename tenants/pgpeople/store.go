// Package pgpeople keeps in PostgreSQL who works on the control plane: users, which tenants they belong to and are invited to,
// their sessions and second factors. It never decides who may do what, but for what only holds when it is looked at under a
// lock: that a tenant keeps an owner, and that nobody changes somebody who is more than they are. Callers decide the rest.
//
// Start with [Store], then one file per noun. How statements reach the database, and which rows they may see there, is
// in package pgdb; mails that go with a change wait in package pgoutbox.
package pgpeople

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/mail"
	"github.com/pealhq/peal/mail/pgoutbox"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Config is what a [Store] needs.
type Config struct {
	DB *pgdb.DB
	// Outbox takes the mails that go with a change.
	Outbox *pgoutbox.Outbox
	// Sealer seals the seeds of second factors.
	Sealer *tenants.Sealer
}

// Store reads and changes people. Its methods may be called at once.
//
// Where one takes a mail, that is sent when the change commits; nil is none.
type Store struct {
	db     *pgdb.DB
	outbox *pgoutbox.Outbox
	sealer *tenants.Sealer
}

// New returns a store.
func New(cfg Config) *Store { return &Store{db: cfg.DB, outbox: cfg.Outbox, sealer: cfg.Sealer} }

// change is a transaction that changes people.
type change struct {
	pgdb.Change
	outbox *pgoutbox.Outbox
}

// platformChange runs f in a transaction that sees all tenants.
func (s *Store) platformChange(ctx context.Context, actor tenants.Actor, f func(change) error) error {
	return s.db.ChangeIn(ctx, pgdb.Platform(), actor, func(c pgdb.Change) error { return f(change{c, s.outbox}) })
}

// post has a mail sent when the change commits, unless it is nil.
func (c change) post(ctx context.Context, m *mail.Message) error {
	if m == nil {
		return nil
	}
	return c.outbox.Enqueue(ctx, c.Change, *m)
}

// auditUser writes what was done to a user to the logs of all tenants that the user belongs to, since it concerns each of them.
func (c change) auditUser(ctx context.Context, user uuid.UUID, action string, d pgdb.Detail) error {
	rows, err := pgdb.All[struct{ TenantID uuid.UUID }](ctx, c, `SELECT tenant_id FROM memberships WHERE user_id = @user ORDER BY tenant_id`, pgx.NamedArgs{"user": user})
	if err != nil {
		return fmt.Errorf("tenants of a user: %w", err)
	}
	one := c.Change
	for _, r := range rows {
		one.Actor.TenantID = r.TenantID
		if err := one.Audit(ctx, action, user.String(), d); err != nil {
			return err
		}
	}
	return nil
}

// write runs one statement that nobody audits, and returns how many rows it changed.
func (s *Store) write(ctx context.Context, sql string, args pgx.NamedArgs) (n int64, err error) {
	err = s.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) error {
		n, err = pgdb.Exec(ctx, q, sql, args)
		return err
	})
	return n, err
}

// RemoveEnded removes what can no longer be used: links, logins that were not ended, and invitations that have been over for a month.
func (s *Store) RemoveEnded(ctx context.Context) error {
	for _, sql := range []string{
		`DELETE FROM user_links WHERE expires_at <= now()`,
		`DELETE FROM login_challenges WHERE expires_at <= now()`,
		`DELETE FROM invitations WHERE expires_at <= now() - interval '30 days'`,
	} {
		if _, err := s.write(ctx, sql, nil); err != nil {
			return fmt.Errorf("remove what has ended: %w", err)
		}
	}
	return nil
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
