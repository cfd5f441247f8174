package pgplatform

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// TenantSummary is a tenant as operators see it.
type TenantSummary struct {
	tenants.Tenant
	// PlanID is empty where it has no plan.
	PlanID  string
	Apps    int
	Members int
	// Owners are the addresses of its owners, at most 10.
	Owners []string
}

const tenantColumns = `
	t.id, t.name, t.created_at, t.suspended_at, t.suspended_for, t.plan_id,
	(SELECT count(*) FROM apps a WHERE a.tenant_id = t.id) AS apps,
	(SELECT count(*) FROM memberships m WHERE m.tenant_id = t.id) AS members,
	ARRAY(
		SELECT u.email::text
		FROM memberships m
		JOIN users u ON u.id = m.user_id
		WHERE m.tenant_id = t.id AND m.role = 'owner'
		ORDER BY m.created_at
		LIMIT 10
	) AS owners`

type tenantRow struct {
	ID           uuid.UUID
	Name         string
	CreatedAt    time.Time
	SuspendedAt  *time.Time
	SuspendedFor *string
	PlanID       *string
	Apps         int
	Members      int
	Owners       []string
}

func (r tenantRow) summary() TenantSummary {
	t := TenantSummary{
		Tenant: tenants.Tenant{ID: r.ID, Name: r.Name, CreatedAt: r.CreatedAt},
		Apps:   r.Apps, Members: r.Members, Owners: r.Owners,
	}
	if r.SuspendedAt != nil {
		t.SuspendedAt = *r.SuspendedAt
	}
	if r.SuspendedFor != nil {
		t.SuspendedFor = *r.SuspendedFor
	}
	if r.PlanID != nil {
		t.PlanID = *r.PlanID
	}
	return t
}

// TenantsQuery says which tenants are listed. The zero value is the first page of all.
type TenantsQuery struct {
	// Text is part of a name, of an owner's address, or a whole id.
	Text string
	// PlanID is the plan that they have; empty is any.
	PlanID    string
	Suspended bool // only those that are
	// After is where the page before ended.
	After uuid.UUID
	Limit int
}

// Tenants returns tenants, newest first.
func (s *Store) Tenants(ctx context.Context, q TenantsQuery) ([]TenantSummary, error) {
	rows, err := pgdb.ReadAll[tenantRow](ctx, s.db, pgdb.Platform(), `
		SELECT `+tenantColumns+`
		FROM tenants t
		WHERE (@text = '' OR t.id::text = lower(@text) OR strpos(lower(t.name), lower(@text)) > 0 OR EXISTS (
				SELECT FROM memberships m
				JOIN users u ON u.id = m.user_id
				WHERE m.tenant_id = t.id AND m.role = 'owner' AND strpos(lower(u.email), lower(@text)) > 0
			))
			AND (@plan = '' OR t.plan_id = @plan)
			AND (NOT @suspended OR t.suspended_at IS NOT NULL)
			AND (@first OR (t.created_at, t.id) < (SELECT x.created_at, x.id FROM tenants x WHERE x.id = @after))
		ORDER BY t.created_at DESC, t.id DESC
		LIMIT @limit`,
		pgx.NamedArgs{
			"text": q.Text, "plan": q.PlanID, "suspended": q.Suspended,
			"first": q.After == uuid.Nil, "after": q.After, "limit": q.Limit,
		})
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	list := make([]TenantSummary, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.summary())
	}
	return list, nil
}

// Tenant returns one tenant.
func (s *Store) Tenant(ctx context.Context, id uuid.UUID) (TenantSummary, error) {
	row, err := pgdb.ReadOne[tenantRow](ctx, s.db, pgdb.Platform(), tenantByID, pgx.NamedArgs{"id": id})
	if err != nil {
		return TenantSummary{}, fmt.Errorf("tenant %s: %w", id, err)
	}
	return row.summary(), nil
}

const tenantByID = `
	SELECT ` + tenantColumns + `
	FROM tenants t
	WHERE t.id = @id`

// SetPlan gives the actor's tenant a plan, or takes its plan away where the id is empty. It holds on the edges within a second.
// Errors: not found for the tenant, a field error on "plan_id".
func (s *Store) SetPlan(ctx context.Context, actor tenants.Actor, plan string) (TenantSummary, error) {
	return s.changeTenant(ctx, actor, func(c change, before TenantSummary) error {
		if before.PlanID == plan {
			return nil
		}
		if plan != "" {
			// It must be there until this ends.
			_, err := pgdb.One[struct{ ID string }](ctx, c, `SELECT id FROM plans WHERE id = @id FOR SHARE`, pgx.NamedArgs{"id": plan})
			if err != nil {
				return tenants.Invalid("plan_id", "there is no such plan")
			}
		}
		_, err := pgdb.Exec(ctx, c, `UPDATE tenants SET plan_id = @plan WHERE id = @id`,
			pgx.NamedArgs{"id": actor.TenantID, "plan": pgdb.Nullable(plan)})
		if err != nil {
			return err
		}
		return c.Audit(ctx, "tenant.plan_changed", actor.TenantID.String(), pgdb.Changed(pgdb.Fields{"plan": before.PlanID}, pgdb.Fields{"plan": plan}))
	})
}

// Suspend stops all apps of the actor's tenant, and keeps its members from changing anything. The reason is told to them.
func (s *Store) Suspend(ctx context.Context, actor tenants.Actor, reason string) (TenantSummary, error) {
	return s.changeTenant(ctx, actor, func(c change, before TenantSummary) error {
		if before.Suspended() && before.SuspendedFor == reason {
			return nil
		}
		_, err := pgdb.Exec(ctx, c, `
			UPDATE tenants
			SET suspended_at = coalesce(suspended_at, now()), suspended_for = @reason
			WHERE id = @id`,
			pgx.NamedArgs{"id": actor.TenantID, "reason": reason})
		if err != nil {
			return err
		}
		return c.Audit(ctx, "tenant.suspended", actor.TenantID.String(), pgdb.Changed(pgdb.Fields{"suspended_for": before.SuspendedFor}, pgdb.Fields{"suspended_for": reason}))
	})
}

// Resume ends the suspension of the actor's tenant.
func (s *Store) Resume(ctx context.Context, actor tenants.Actor) (TenantSummary, error) {
	return s.changeTenant(ctx, actor, func(c change, before TenantSummary) error {
		if !before.Suspended() {
			return nil
		}
		_, err := pgdb.Exec(ctx, c, `UPDATE tenants SET suspended_at = NULL, suspended_for = NULL WHERE id = @id`,
			pgx.NamedArgs{"id": actor.TenantID})
		if err != nil {
			return err
		}
		return c.Audit(ctx, "tenant.resumed", actor.TenantID.String(), pgdb.Removed(pgdb.Fields{"suspended_for": before.SuspendedFor}))
	})
}

// changeTenant changes the actor's tenant, which f finds locked, tells the edges of its apps, and returns what it is then.
func (s *Store) changeTenant(ctx context.Context, actor tenants.Actor, f func(change, TenantSummary) error) (TenantSummary, error) {
	var after TenantSummary
	err := s.change(ctx, actor, func(c change) error {
		args := pgx.NamedArgs{"id": actor.TenantID}
		row, err := pgdb.One[tenantRow](ctx, c, tenantByID+" FOR UPDATE", args)
		if err != nil {
			return err
		}
		if err := f(c, row.summary()); err != nil {
			return err
		}
		if row, err = pgdb.One[tenantRow](ctx, c, tenantByID, args); err != nil {
			return err
		}
		after = row.summary()
		return c.notifyApps(ctx, `tenant_id = @id`, actor.TenantID)
	})
	if err != nil {
		return TenantSummary{}, fmt.Errorf("change tenant %s: %w", actor.TenantID, err)
	}
	return after, nil
}

// notifyApps tells the edges that these apps changed, when the change commits.
func (c change) notifyApps(ctx context.Context, which string, id any) error {
	_, err := pgdb.Exec(ctx, c, `
		SELECT pg_notify(@channel, id)
		FROM apps
		WHERE `+which, pgx.NamedArgs{"channel": pgdb.AppChanged, "id": id})
	if err != nil {
		return fmt.Errorf("tell the edges: %w", err)
	}
	return nil
}
