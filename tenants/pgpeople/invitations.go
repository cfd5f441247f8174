package pgpeople

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/mail"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

type invitationRow struct {
	ID         uuid.UUID
	TenantID   uuid.UUID
	TenantName string
	Email      string
	Role       string
	InvitedBy  string
	CreatedAt  time.Time
	ExpiresAt  time.Time
}

func (r invitationRow) invitation() tenants.Invitation {
	return tenants.Invitation{
		ID: r.ID, Tenant: tenants.Tenant{ID: r.TenantID, Name: r.TenantName}, Email: r.Email, Role: tenants.Role(r.Role),
		InvitedBy: r.InvitedBy, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt,
	}
}

// invitations is the rest of a statement that selects an [invitationRow].
const invitations = `
	SELECT i.id, i.tenant_id, t.name AS tenant_name, i.email, i.role, coalesce(u.email, '') AS invited_by, i.created_at, i.expires_at
	FROM invitations i
	JOIN tenants t ON t.id = i.tenant_id
	LEFT JOIN users u ON u.id = i.invited_by `

// NewInvitation is one to make. The values have been checked.
type NewInvitation struct {
	Email string
	Role  tenants.Role
	// Hash is that of the link's token.
	Hash []byte
	// Mail brings the link; nil where it is handed over.
	Mail *mail.Message
}

// CreateInvitation invites somebody to the actor's tenant. Errors: a conflict on "email", [tenants.ErrForbidden] for a role that
// the actor may not make, [tenants.ErrLimit].
func (s *Store) CreateInvitation(ctx context.Context, actor tenants.Actor, in NewInvitation) (tenants.Invitation, error) {
	var made tenants.Invitation
	err := s.platformChange(ctx, actor, func(c change) error {
		// The lock keeps the number right, and whoever invites from being removed meanwhile.
		if _, err := c.lockMember(ctx, actor.UserID); err != nil {
			return err
		}
		if err := c.mayMake(ctx, in.Role); err != nil {
			return err
		}
		if err := c.mayBeInvited(ctx, in.Email); err != nil {
			return err
		}
		id := newID()
		if err := c.insertInvitation(ctx, id, in); err != nil {
			return err
		}
		if err := c.Audit(ctx, "invitation.created", id.String(), pgdb.Created(pgdb.Fields{"email": in.Email, "role": in.Role})); err != nil {
			return err
		}
		if err := c.post(ctx, in.Mail); err != nil {
			return err
		}
		var err error
		made, err = c.invitation(ctx, id)
		return err
	})
	if err != nil {
		return made, fmt.Errorf("create invitation: %w", err)
	}
	return made, nil
}

// mayBeInvited refuses who is there already, and more invitations than a tenant may have.
func (c change) mayBeInvited(ctx context.Context, email string) error {
	row, err := pgdb.One[struct {
		Member bool
		Open   int
	}](ctx, c, `
		SELECT
			EXISTS (
				SELECT FROM memberships m JOIN users u ON u.id = m.user_id
				WHERE m.tenant_id = @tenant AND lower(u.email) = lower(@email)
			) AS member,
			(SELECT count(*) FROM invitations WHERE tenant_id = @tenant) AS open`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "email": email})
	switch {
	case err != nil:
		return err
	case row.Member:
		return tenants.Conflict("email", "is a member of this tenant already")
	case row.Open >= tenants.MaxInvitations:
		return tenants.Refuse(tenants.ErrLimit, fmt.Sprintf("%d invitations wait to be accepted, and there may be no more; take some back first", row.Open))
	}
	return nil
}

func (c change) insertInvitation(ctx context.Context, id uuid.UUID, in NewInvitation) error {
	_, err := pgdb.Exec(ctx, c, `
		INSERT INTO invitations (id, tenant_id, email, role, token_hash, by_mail, invited_by, expires_at)
		VALUES (@id, @tenant, @email, @role, @hash, @by_mail, @user, now() + @life)`,
		pgx.NamedArgs{
			"id": id, "tenant": c.Actor.TenantID, "email": in.Email, "role": in.Role, "hash": in.Hash, "by_mail": in.Mail != nil,
			"user": c.Actor.UserID, "life": tenants.InvitationLife,
		})
	if pgdb.Violates(err, "invitations_tenant_id_email_key") {
		return tenants.Conflict("email", "is invited already; send that invitation again")
	}
	if err != nil {
		return fmt.Errorf("insert invitation: %w", err)
	}
	return nil
}

// invitation returns one of the actor's tenant, and keeps it from changing.
func (c change) invitation(ctx context.Context, id uuid.UUID) (tenants.Invitation, error) {
	row, err := pgdb.One[invitationRow](ctx, c, invitations+`WHERE i.tenant_id = @tenant AND i.id = @id FOR UPDATE OF i`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "id": id})
	return row.invitation(), err
}

// Invitation returns one of a tenant. Errors: [tenants.ErrNotFound].
func (s *Store) Invitation(ctx context.Context, tenant, id uuid.UUID) (tenants.Invitation, error) {
	row, err := pgdb.ReadOne[invitationRow](ctx, s.db, pgdb.Tenant(tenant), invitations+`WHERE i.tenant_id = @tenant AND i.id = @id`,
		pgx.NamedArgs{"tenant": tenant, "id": id})
	if err != nil {
		return tenants.Invitation{}, fmt.Errorf("invitation: %w", err)
	}
	return row.invitation(), nil
}

// Invitations lists those of a tenant, newest first.
func (s *Store) Invitations(ctx context.Context, tenant uuid.UUID) ([]tenants.Invitation, error) {
	rows, err := pgdb.ReadAll[invitationRow](ctx, s.db, pgdb.Tenant(tenant), invitations+`WHERE i.tenant_id = @tenant ORDER BY i.created_at DESC, i.id`,
		pgx.NamedArgs{"tenant": tenant})
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	list := make([]tenants.Invitation, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.invitation())
	}
	return list, nil
}

// ResendInvitation gives an invitation of the actor's tenant another token and another seven days. Errors: [tenants.ErrNotFound],
// [tenants.ErrForbidden].
func (s *Store) ResendInvitation(ctx context.Context, actor tenants.Actor, id uuid.UUID, hash []byte, letter *mail.Message) (tenants.Invitation, error) {
	var sent tenants.Invitation
	err := s.platformChange(ctx, actor, func(c change) error {
		// The lock keeps whoever does it from being removed or lowered meanwhile.
		if _, err := c.lockMember(ctx, actor.UserID); err != nil {
			return err
		}
		before, err := c.invitation(ctx, id)
		if err != nil {
			return err
		}
		if err := c.mayMake(ctx, before.Role); err != nil {
			return err
		}
		_, err = pgdb.Exec(ctx, c, `
			UPDATE invitations
			SET token_hash = @hash, by_mail = @by_mail, invited_by = @user, expires_at = now() + @life
			WHERE tenant_id = @tenant AND id = @id`,
			pgx.NamedArgs{
				"tenant": actor.TenantID, "id": id, "hash": hash, "by_mail": letter != nil, "user": actor.UserID, "life": tenants.InvitationLife,
			})
		if err != nil {
			return err
		}
		if err := c.post(ctx, letter); err != nil {
			return err
		}
		if sent, err = c.invitation(ctx, id); err != nil {
			return err
		}
		return c.Audit(ctx, "invitation.resent", id.String(), pgdb.Changed(pgdb.Fields{"expires_at": before.ExpiresAt}, pgdb.Fields{"expires_at": sent.ExpiresAt}))
	})
	if err != nil {
		return sent, fmt.Errorf("resend invitation: %w", err)
	}
	return sent, nil
}

// RevokeInvitation takes one of the actor's tenant back. Errors: [tenants.ErrNotFound], [tenants.ErrForbidden].
func (s *Store) RevokeInvitation(ctx context.Context, actor tenants.Actor, id uuid.UUID) error {
	err := s.platformChange(ctx, actor, func(c change) error {
		// The lock keeps whoever does it from being removed or lowered meanwhile.
		if _, err := c.lockMember(ctx, actor.UserID); err != nil {
			return err
		}
		before, err := c.invitation(ctx, id)
		if err != nil {
			return err
		}
		if err := c.mayMake(ctx, before.Role); err != nil {
			return err
		}
		if err := c.deleteInvitation(ctx, id); err != nil {
			return err
		}
		return c.Audit(ctx, "invitation.revoked", id.String(), pgdb.Removed(pgdb.Fields{"email": before.Email, "role": before.Role}))
	})
	if err != nil {
		return fmt.Errorf("revoke invitation: %w", err)
	}
	return nil
}

func (c change) deleteInvitation(ctx context.Context, id uuid.UUID) error {
	_, err := pgdb.Exec(ctx, c, `DELETE FROM invitations WHERE tenant_id = @tenant AND id = @id`, pgx.NamedArgs{"tenant": c.Actor.TenantID, "id": id})
	if err != nil {
		return fmt.Errorf("delete invitation: %w", err)
	}
	return nil
}

// InvitationByToken returns the one that a token is for, if it is still good, whatever tenant it is of. Errors: [tenants.ErrNotFound].
func (s *Store) InvitationByToken(ctx context.Context, hash []byte) (tenants.Invitation, error) {
	row, err := pgdb.ReadOne[invitationRow](ctx, s.db, pgdb.Platform(), invitations+`WHERE i.token_hash = @hash AND i.expires_at > now()`,
		pgx.NamedArgs{"hash": hash})
	if err != nil {
		return tenants.Invitation{}, fmt.Errorf("invitation by token: %w", err)
	}
	return row.invitation(), nil
}

// AcceptInvitation takes a user into the tenant of an invitation, which is used up by it. Where newPasswordHash is given, the user
// is made first. The actor needs no tenant and no user. Errors: [tenants.ErrNotFound] for a token that is not good, or not for
// this user; a conflict on the field "email".
func (s *Store) AcceptInvitation(ctx context.Context, actor tenants.Actor, hash []byte, user uuid.UUID, newPasswordHash string) (uuid.UUID, error) {
	err := s.platformChange(ctx, actor, func(c change) error {
		type usedUp struct {
			ID       uuid.UUID
			TenantID uuid.UUID
			Email    string
			Role     string
			ByMail   bool
		}
		in, err := pgdb.One[usedUp](ctx, c, `
			DELETE FROM invitations
			WHERE token_hash = @hash AND expires_at > now()
			RETURNING id, tenant_id, email, role, by_mail`,
			pgx.NamedArgs{"hash": hash})
		if err != nil {
			return err
		}
		c.Actor.TenantID, c.Actor.UserID = in.TenantID, user
		if newPasswordHash != "" {
			user = newID()
			c.Actor.UserID = user
			if err := c.insertUser(ctx, SignUp{Email: in.Email, PasswordHash: newPasswordHash, EmailVerified: in.ByMail}); err != nil {
				return err
			}
		} else if err := c.isOf(ctx, user, in.Email, in.ByMail); err != nil {
			return err
		}
		return c.join(ctx, in.Email, tenants.Role(in.Role))
	})
	if err != nil {
		return user, fmt.Errorf("accept invitation: %w", err)
	}
	return user, nil
}

// isOf returns [tenants.ErrNotFound] unless the address is the user's, and notes that it has been verified when it has.
func (c change) isOf(ctx context.Context, user uuid.UUID, email string, verified bool) error {
	n, err := pgdb.Exec(ctx, c, `
		UPDATE users
		SET email_verified_at = CASE WHEN @verified THEN coalesce(email_verified_at, now()) ELSE email_verified_at END
		WHERE id = @user AND lower(email) = lower(@email)`,
		pgx.NamedArgs{"user": user, "email": email, "verified": verified})
	if err == nil && n == 0 {
		err = tenants.ErrNotFound
	}
	return err
}

// join makes the actor a member of the actor's tenant. Who has become one by another road keeps the role there.
func (c change) join(ctx context.Context, email string, role tenants.Role) error {
	n, err := pgdb.Exec(ctx, c, `
		INSERT INTO memberships (tenant_id, user_id, role)
		VALUES (@tenant, @user, @role)
		ON CONFLICT (tenant_id, user_id) DO NOTHING`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "user": c.Actor.UserID, "role": role})
	if err != nil {
		return fmt.Errorf("insert membership: %w", err)
	}
	if n == 0 {
		return nil
	}
	return c.Audit(ctx, "member.added", c.Actor.UserID.String(), pgdb.Created(pgdb.Fields{"email": email, "role": role}))
}
