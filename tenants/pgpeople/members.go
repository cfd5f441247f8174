package pgpeople

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

type memberRow struct {
	UserID        uuid.UUID
	Email         string
	EmailVerified bool
	SecondFactor  bool
	Role          string
	CreatedAt     time.Time
}

func (r memberRow) member() tenants.Member {
	return tenants.Member{
		User: tenants.User{ID: r.UserID, Email: r.Email, EmailVerified: r.EmailVerified, SecondFactor: r.SecondFactor},
		Role: tenants.Role(r.Role), JoinedAt: r.CreatedAt,
	}
}

// memberColumns are what a [memberRow] is read from, of memberships m and users u.
const memberColumns = `
	m.user_id, u.email, u.email_verified_at IS NOT NULL AS email_verified,
	EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS second_factor,
	m.role, m.created_at`

// Members lists the members of a tenant, oldest first.
func (s *Store) Members(ctx context.Context, tenant uuid.UUID) ([]tenants.Member, error) {
	rows, err := pgdb.ReadAll[memberRow](ctx, s.db, pgdb.Tenant(tenant), `
		SELECT `+memberColumns+`
		FROM memberships m
		JOIN users u ON u.id = m.user_id
		WHERE m.tenant_id = @tenant
		ORDER BY m.created_at, m.user_id`,
		pgx.NamedArgs{"tenant": tenant})
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	members := make([]tenants.Member, 0, len(rows))
	for _, r := range rows {
		members = append(members, r.member())
	}
	return members, nil
}

// ChangeMemberRole gives a member of the actor's tenant another role. Errors: [tenants.ErrNotFound], [tenants.ErrForbidden] where
// one of the two roles is more than the actor's, [tenants.ErrState] for the last owner.
func (s *Store) ChangeMemberRole(ctx context.Context, actor tenants.Actor, user uuid.UUID, role tenants.Role) (tenants.Member, error) {
	var member tenants.Member
	err := s.platformChange(ctx, actor, func(c change) error {
		before, err := c.lockMember(ctx, user)
		if err != nil {
			return err
		}
		if err := c.mayMake(ctx, before.Role, role); err != nil {
			return err
		}
		member = before
		member.Role = role
		if before.Role == role {
			return nil
		}
		dropped, err := c.setRole(ctx, before, role)
		if err != nil {
			return err
		}
		if err := c.keepsAnOwner(ctx); err != nil {
			return err
		}
		was, is := pgdb.Fields{"role": before.Role}, pgdb.Fields{"role": role}
		if len(dropped) > 0 {
			was["invitations"], is["invitations"] = dropped, []string{}
		}
		return c.Audit(ctx, "member.role_changed", user.String(), pgdb.Changed(was, is))
	})
	if err != nil {
		return tenants.Member{}, fmt.Errorf("change member's role: %w", err)
	}
	return member, nil
}

// RemoveMember takes a member out of the actor's tenant, with the sessions and API tokens there. Errors: as ChangeMemberRole.
func (s *Store) RemoveMember(ctx context.Context, actor tenants.Actor, user uuid.UUID) error {
	err := s.platformChange(ctx, actor, func(c change) error {
		member, err := c.lockMember(ctx, user)
		if err != nil {
			return err
		}
		if err := c.mayMake(ctx, member.Role); err != nil {
			return err
		}
		return c.remove(ctx, "member.removed", member)
	})
	if err != nil {
		return fmt.Errorf("remove member: %w", err)
	}
	return nil
}

// LeaveTenant takes the actor out of the actor's tenant. Errors: [tenants.ErrState] for the last owner.
func (s *Store) LeaveTenant(ctx context.Context, actor tenants.Actor) error {
	err := s.platformChange(ctx, actor, func(c change) error {
		member, err := c.lockMember(ctx, actor.UserID)
		if err != nil {
			return err
		}
		return c.remove(ctx, "member.left", member)
	})
	if err != nil {
		return fmt.Errorf("leave tenant: %w", err)
	}
	return nil
}

// TransferOwnership makes a member of the actor's tenant an owner, and the actor an admin. Errors: [tenants.ErrNotFound],
// [tenants.ErrForbidden] when the actor is no owner any more, [tenants.ErrState] when it is the actor.
func (s *Store) TransferOwnership(ctx context.Context, actor tenants.Actor, user uuid.UUID) error {
	err := s.platformChange(ctx, actor, func(c change) error {
		to, err := c.lockMember(ctx, user)
		if err != nil {
			return err
		}
		from, err := c.lockMember(ctx, actor.UserID)
		switch {
		case err != nil:
			return err
		case from.Role != tenants.RoleOwner:
			return tenants.Refuse(tenants.ErrForbidden, "only an owner can give the tenant to somebody else")
		case user == actor.UserID:
			return tenants.Refuse(tenants.ErrState, "this is you already; choose another member")
		}
		if to.Role != tenants.RoleOwner {
			if _, err := c.setRole(ctx, to, tenants.RoleOwner); err != nil {
				return err
			}
		}
		if _, err := c.setRole(ctx, from, tenants.RoleAdmin); err != nil {
			return err
		}
		return c.Audit(ctx, "tenant.transferred", actor.TenantID.String(),
			pgdb.Changed(pgdb.Fields{"owner": from.User.Email}, pgdb.Fields{"owner": to.User.Email}))
	})
	if err != nil {
		return fmt.Errorf("transfer ownership: %w", err)
	}
	return nil
}

// lockMember returns a member of the actor's tenant. No other change of its members goes on until this one ends: that there is
// an owner left is a rule about all of them.
func (c change) lockMember(ctx context.Context, user uuid.UUID) (tenants.Member, error) {
	args := pgx.NamedArgs{"tenant": c.Actor.TenantID, "user": user}
	if _, err := pgdb.One[struct{ ID uuid.UUID }](ctx, c, `SELECT id FROM tenants WHERE id = @tenant FOR NO KEY UPDATE`, args); err != nil {
		return tenants.Member{}, err
	}
	row, err := pgdb.One[memberRow](ctx, c, `
		SELECT `+memberColumns+`
		FROM memberships m
		JOIN users u ON u.id = m.user_id
		WHERE m.tenant_id = @tenant AND m.user_id = @user`,
		args)
	return row.member(), err
}

// mayMake tells whether the actor, as it is now, may make or unmake all of these roles. A token may not by being its owner's.
func (c change) mayMake(ctx context.Context, roles ...tenants.Role) error {
	row, err := pgdb.One[struct{ Role string }](ctx, c, `
		SELECT role
		FROM memberships
		WHERE tenant_id = @tenant AND user_id = @user`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "user": c.Actor.UserID})
	if err != nil && !errors.Is(err, tenants.ErrNotFound) {
		return err
	}
	for _, role := range roles {
		if !tenants.Role(row.Role).MayMake(role) {
			return tenants.Refuse(tenants.ErrForbidden, fmt.Sprintf("who is %s in this tenant can neither make nor change an %s; ask an owner", articled(row.Role), role))
		}
		if t := c.Actor.Token; t != nil && !t.MayMake(role) {
			return tenants.Refuse(tenants.ErrForbidden, fmt.Sprintf("the API token %q can neither make nor change %s: the role may do more than the token; do it in the dashboard", t.Name, articled(string(role))))
		}
	}
	return nil
}

// articled is a role in a sentence.
func articled(role string) string {
	switch role {
	case "":
		return "not a member"
	case "admin", "owner":
		return "an " + role
	default:
		return "a " + role
	}
}

// setRole changes a locked member's role. Who may no longer invite has no invitations open either; it returns whom those were for.
func (c change) setRole(ctx context.Context, m tenants.Member, role tenants.Role) (dropped []string, err error) {
	_, err = pgdb.Exec(ctx, c, `
		UPDATE memberships
		SET role = @role
		WHERE tenant_id = @tenant AND user_id = @user`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "user": m.User.ID, "role": role})
	if err != nil {
		return nil, fmt.Errorf("set role: %w", err)
	}
	return c.dropInvitations(ctx, m.User.ID, role)
}

func (c change) remove(ctx context.Context, action string, m tenants.Member) error {
	// Sessions and API tokens of the membership go with it, by their foreign keys.
	_, err := pgdb.Exec(ctx, c, `
		DELETE FROM memberships
		WHERE tenant_id = @tenant AND user_id = @user`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "user": m.User.ID})
	if err != nil {
		return fmt.Errorf("delete membership: %w", err)
	}
	dropped, err := c.dropInvitations(ctx, m.User.ID, "")
	if err != nil {
		return err
	}
	if err := c.keepsAnOwner(ctx); err != nil {
		return err
	}
	was := pgdb.Fields{"email": m.User.Email, "role": m.Role}
	if len(dropped) > 0 {
		was["invitations"] = dropped
	}
	return c.Audit(ctx, action, m.User.ID.String(), pgdb.Removed(was))
}

// dropInvitations takes back what a user has invited to and could no longer with this role, and returns the addresses.
func (c change) dropInvitations(ctx context.Context, user uuid.UUID, role tenants.Role) (dropped []string, err error) {
	type invitationRow struct {
		ID    uuid.UUID
		Email string
		Role  string
	}
	rows, err := pgdb.All[invitationRow](ctx, c, `
		SELECT id, email, role
		FROM invitations
		WHERE tenant_id = @tenant AND invited_by = @user`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "user": user})
	if err != nil {
		return nil, fmt.Errorf("invitations of a member: %w", err)
	}
	for _, r := range rows {
		if role.MayMake(tenants.Role(r.Role)) {
			continue
		}
		if err := c.deleteInvitation(ctx, r.ID); err != nil {
			return nil, err
		}
		dropped = append(dropped, r.Email)
	}
	return dropped, nil
}

// keepsAnOwner refuses a change that would leave the actor's tenant to nobody. Members are locked.
func (c change) keepsAnOwner(ctx context.Context) error {
	row, err := pgdb.One[struct{ N int }](ctx, c, `
		SELECT count(*) AS n
		FROM memberships
		WHERE tenant_id = @tenant AND role = 'owner'`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID})
	if err != nil {
		return err
	}
	if row.N == 0 {
		return tenants.Refuse(tenants.ErrState, "a tenant must keep an owner, and this is the last one; make another member an owner first")
	}
	return nil
}
