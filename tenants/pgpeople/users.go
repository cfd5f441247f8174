package pgpeople

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// membershipRow is a user in a tenant, as the queries below select it.
type membershipRow struct {
	UserID        uuid.UUID
	Email         string
	Operator      bool
	EmailVerified bool
	SecondFactor  bool
	TenantID      uuid.UUID
	TenantName    string
	SuspendedAt   *time.Time
	SuspendedFor  *string
	Role          string
}

// membershipColumns are what a [membershipRow] is read from, of memberships m, users u and tenants t.
const membershipColumns = `
	u.id AS user_id, u.email, u.operator, u.email_verified_at IS NOT NULL AS email_verified,
	EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS second_factor,
	t.id AS tenant_id, t.name AS tenant_name, t.suspended_at, t.suspended_for, m.role`

func (r membershipRow) membership() tenants.Membership {
	m := tenants.Membership{
		User: tenants.User{
			ID: r.UserID, Email: r.Email, Operator: r.Operator, EmailVerified: r.EmailVerified, SecondFactor: r.SecondFactor,
		},
		Tenant: tenants.Tenant{ID: r.TenantID, Name: r.TenantName},
		Role:   tenants.Role(r.Role),
	}
	if r.SuspendedAt != nil && r.SuspendedFor != nil {
		m.Tenant.SuspendedAt, m.Tenant.SuspendedFor = *r.SuspendedAt, *r.SuspendedFor
	}
	return m
}

// SignUp is what a new tenant starts with. The values have been checked.
type SignUp struct {
	Email        string
	PasswordHash string
	TenantName   string
	// EmailVerified says that the address is known to be the user's.
	EmailVerified bool
	// Verify is the link that verifies it; nil is none.
	Verify *Link
}

// SignUp creates a tenant and its owner. The actor's tenant and user are the new ones, whatever it says.
// Errors: a conflict on the field "email".
func (s *Store) SignUp(ctx context.Context, actor tenants.Actor, in SignUp) (tenants.Membership, error) {
	actor.TenantID, actor.UserID, actor.Email = newID(), newID(), in.Email
	err := s.platformChange(ctx, actor, func(c change) error {
		if err := c.insertTenant(ctx, in.TenantName); err != nil {
			return err
		}
		if err := c.insertUser(ctx, in); err != nil {
			return err
		}
		if err := c.insertMembership(ctx, tenants.RoleOwner); err != nil {
			return err
		}
		if err := c.sendLink(ctx, actor.UserID, in.Verify); err != nil {
			return err
		}
		return c.Audit(ctx, "tenant.created", c.Actor.TenantID.String(), pgdb.Created(pgdb.Fields{"name": in.TenantName, "owner": in.Email}))
	})
	if err != nil {
		return tenants.Membership{}, fmt.Errorf("sign up: %w", err)
	}
	return tenants.Membership{
		User:   tenants.User{ID: actor.UserID, Email: in.Email},
		Tenant: tenants.Tenant{ID: actor.TenantID, Name: in.TenantName},
		Role:   tenants.RoleOwner,
	}, nil
}

// insertTenant inserts the actor's tenant.
func (c change) insertTenant(ctx context.Context, name string) error {
	_, err := pgdb.Exec(ctx, c, `
		INSERT INTO tenants (id, name, plan_id)
		VALUES (@id, @name, (SELECT id FROM plans WHERE is_default))`,
		pgx.NamedArgs{"id": c.Actor.TenantID, "name": name})
	if err != nil {
		return fmt.Errorf("insert tenant: %w", err)
	}
	return nil
}

// insertUser inserts the actor as a user.
func (c change) insertUser(ctx context.Context, in SignUp) error {
	_, err := pgdb.Exec(ctx, c, `
		INSERT INTO users (id, email, password_hash, email_verified_at)
		VALUES (@id, @email, @hash, CASE WHEN @verified THEN now() END)`,
		pgx.NamedArgs{"id": c.Actor.UserID, "email": in.Email, "hash": in.PasswordHash, "verified": in.EmailVerified})
	if pgdb.Violates(err, "users_email_key") {
		return tenants.Conflict("email", "has an account already; log in instead")
	}
	if err != nil {
		return fmt.Errorf("insert user: %w", err)
	}
	return nil
}

func (c change) insertMembership(ctx context.Context, role tenants.Role) error {
	_, err := pgdb.Exec(ctx, c, `
		INSERT INTO memberships (tenant_id, user_id, role)
		VALUES (@tenant, @user, @role)`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "user": c.Actor.UserID, "role": role})
	if err != nil {
		return fmt.Errorf("insert membership: %w", err)
	}
	return nil
}

// Credentials is what a login is checked against.
type Credentials struct {
	UserID        uuid.UUID
	Email         string
	EmailVerified bool
	PasswordHash  string
	SecondFactor  bool
}

// Proof is what somebody shows who meets the credentials.
func (c *Credentials) Proof() Proof {
	return Proof{PasswordHash: c.PasswordHash, SecondFactor: c.SecondFactor}
}

// Credentials returns those of the user with this address, or [tenants.ErrNotFound].
func (s *Store) Credentials(ctx context.Context, email string) (Credentials, error) {
	c, err := pgdb.ReadOne[Credentials](ctx, s.db, pgdb.Platform(), `
		SELECT u.id AS user_id, u.email, u.email_verified_at IS NOT NULL AS email_verified, u.password_hash,
			EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS second_factor
		FROM users u
		WHERE lower(u.email) = lower(@email)`,
		pgx.NamedArgs{"email": email})
	if err != nil {
		return c, fmt.Errorf("credentials: %w", err)
	}
	return c, nil
}

// SetPasswordHash stores another hash of the same password of a user. Errors: [tenants.ErrState] where the hash is no longer the
// one before: then there is another password, which this must not undo.
func (s *Store) SetPasswordHash(ctx context.Context, user uuid.UUID, before, hash string) error {
	n, err := s.write(ctx, `UPDATE users SET password_hash = @hash WHERE id = @id AND password_hash = @before`,
		pgx.NamedArgs{"hash": hash, "id": user, "before": before})
	if err == nil && n == 0 {
		err = errOvertaken
	}
	if err != nil {
		return fmt.Errorf("set password hash: %w", err)
	}
	return nil
}

// AddOwner creates a user who owns the tenant that manifests keep under this name. Errors: a conflict on the
// field "email", [tenants.ErrNotFound] when there is no such tenant.
func (s *Store) AddOwner(ctx context.Context, actor tenants.Actor, in SignUp) error {
	actor.UserID = newID()
	err := s.platformChange(ctx, actor, func(c change) error {
		tenant, err := pgdb.One[struct{ ID uuid.UUID }](ctx, c, `
			SELECT id
			FROM tenants
			WHERE manifest_name = @name`,
			pgx.NamedArgs{"name": in.TenantName})
		if err != nil {
			return err
		}
		c.Actor.TenantID = tenant.ID
		if err := c.insertUser(ctx, in); err != nil {
			return err
		}
		if err := c.insertMembership(ctx, tenants.RoleOwner); err != nil {
			return err
		}
		return c.Audit(ctx, "member.added", c.Actor.UserID.String(), pgdb.Created(pgdb.Fields{"email": in.Email, "role": tenants.RoleOwner}))
	})
	if err != nil {
		return fmt.Errorf("add owner: %w", err)
	}
	return nil
}
