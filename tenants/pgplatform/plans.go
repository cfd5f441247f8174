package pgplatform

import (
	"context"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// planColumns are what a [planRow] is read from.
const planColumns = `
	id, name, is_default, limits,
	(SELECT count(*) FROM tenants WHERE tenants.plan_id = plans.id) AS tenants`

type planRow struct {
	ID        string
	Name      string
	IsDefault bool
	Limits    tenants.LimitOverrides
	Tenants   int
}

func (r planRow) plan() tenants.Plan {
	return tenants.Plan{ID: r.ID, Name: r.Name, Default: r.IsDefault, Limits: r.Limits, Tenants: r.Tenants}
}

// Plans returns all plans, by their names.
func (s *Store) Plans(ctx context.Context) ([]tenants.Plan, error) {
	rows, err := pgdb.ReadAll[planRow](ctx, s.db, pgdb.Platform(), `
		SELECT `+planColumns+`
		FROM plans
		ORDER BY lower(name), id`, nil)
	if err != nil {
		return nil, fmt.Errorf("list plans: %w", err)
	}
	plans := make([]tenants.Plan, 0, len(rows))
	for _, r := range rows {
		plans = append(plans, r.plan())
	}
	return plans, nil
}

// CreatePlan creates a plan, which has been checked. Errors: a conflict on "id".
func (s *Store) CreatePlan(ctx context.Context, actor tenants.Actor, p tenants.Plan) (tenants.Plan, error) {
	var row planRow
	err := s.change(ctx, actor, func(c change) (err error) {
		if err := c.clearDefault(ctx, p.Default); err != nil {
			return err
		}
		row, err = pgdb.One[planRow](ctx, c, `
			INSERT INTO plans (id, name, is_default, limits)
			VALUES (@id, @name, @default, @limits)
			RETURNING `+planColumns, planArgs(p))
		if pgdb.Violates(err, "plans_pkey") {
			return tenants.Conflict("id", "is the id of another plan")
		}
		if err != nil {
			return err
		}
		return c.Audit(ctx, "plan.created", p.ID, pgdb.Created(planFields(p)))
	})
	if err != nil {
		return tenants.Plan{}, fmt.Errorf("create plan %s: %w", p.ID, err)
	}
	return row.plan(), nil
}

// PlanChange says what is to change of a plan. What it does not name stays as it is.
type PlanChange struct {
	Name    *string
	Default *bool
	// Limits are set, by name; nil takes one out of the plan.
	Limits map[string]*int
}

// apply returns the plan as it will be.
func (want PlanChange) apply(p tenants.Plan) tenants.Plan {
	if want.Name != nil {
		p.Name = *want.Name
	}
	if want.Default != nil {
		p.Default = *want.Default
	}
	set := maps.Clone(p.Limits)
	if set == nil {
		set = tenants.LimitOverrides{}
	}
	for name, v := range want.Limits {
		if v == nil {
			delete(set, name)
			continue
		}
		set[name] = *v
	}
	p.Limits = set
	return p
}

// UpdatePlan changes a plan and, within a second, what the apps of its tenants may do. Errors: a field error of the limits.
// Where nothing is different nothing is written.
func (s *Store) UpdatePlan(ctx context.Context, actor tenants.Actor, id string, want PlanChange) (tenants.Plan, error) {
	var after tenants.Plan
	err := s.change(ctx, actor, func(c change) error {
		before, err := c.lockPlan(ctx, id)
		if err != nil {
			return err
		}
		after = want.apply(before)
		if err := tenants.CheckPlanLimits("limits", after.Limits); err != nil {
			return err
		}
		if after.Name == before.Name && after.Default == before.Default && maps.Equal(after.Limits, before.Limits) {
			return nil
		}
		if err := c.clearDefault(ctx, after.Default && !before.Default); err != nil {
			return err
		}
		_, err = pgdb.Exec(ctx, c, `
			UPDATE plans
			SET name = @name, is_default = @default, limits = @limits
			WHERE id = @id`, planArgs(after))
		if err != nil {
			return err
		}
		if err := c.Audit(ctx, "plan.changed", id, pgdb.Changed(differing(planFields(before), planFields(after)))); err != nil {
			return err
		}
		return c.notifyApps(ctx, `tenant_id IN (SELECT id FROM tenants WHERE plan_id = @id)`, id)
	})
	if err != nil {
		return tenants.Plan{}, fmt.Errorf("update plan %s: %w", id, err)
	}
	return after, nil
}

// DeletePlan deletes a plan that no tenant has. The error of one that some have is a [tenants.RefusalError].
func (s *Store) DeletePlan(ctx context.Context, actor tenants.Actor, id string) error {
	err := s.change(ctx, actor, func(c change) error {
		p, err := c.lockPlan(ctx, id)
		if err != nil {
			return err
		}
		if p.Tenants > 0 {
			return tenants.Refuse(tenants.ErrState, inUse(p.Tenants))
		}
		if _, err := pgdb.Exec(ctx, c, `DELETE FROM plans WHERE id = @id`, pgx.NamedArgs{"id": id}); err != nil {
			return err
		}
		return c.Audit(ctx, "plan.deleted", id, pgdb.Removed(planFields(p)))
	})
	if err != nil {
		return fmt.Errorf("delete plan %s: %w", id, err)
	}
	return nil
}

// inUse says why a plan cannot go.
func inUse(by int) string {
	if by == 1 {
		return "1 tenant has this plan; give it another one first"
	}
	return fmt.Sprintf("%d tenants have this plan; give them another one first", by)
}

// lockPlan returns a plan that nobody else changes, and nobody gets, until the end of the change.
func (c change) lockPlan(ctx context.Context, id string) (tenants.Plan, error) {
	_, err := pgdb.One[struct{ ID string }](ctx, c, `SELECT id FROM plans WHERE id = @id FOR UPDATE`, pgx.NamedArgs{"id": id})
	if err != nil {
		return tenants.Plan{}, err
	}
	// Its tenants are counted when the lock is there, by a statement that sees who got it until then.
	row, err := pgdb.One[planRow](ctx, c, `
		SELECT `+planColumns+`
		FROM plans
		WHERE id = @id`, pgx.NamedArgs{"id": id})
	return row.plan(), err
}

// clearDefault makes room for another default.
func (c change) clearDefault(ctx context.Context, wanted bool) error {
	if !wanted {
		return nil
	}
	_, err := pgdb.Exec(ctx, c, `UPDATE plans SET is_default = false WHERE is_default`, nil)
	return err
}

func planArgs(p tenants.Plan) pgx.NamedArgs {
	if p.Limits == nil {
		p.Limits = tenants.LimitOverrides{}
	}
	return pgx.NamedArgs{"id": p.ID, "name": p.Name, "default": p.Default, "limits": p.Limits}
}

// planFields are a plan's fields for the audit log.
func planFields(p tenants.Plan) pgdb.Fields {
	fields := pgdb.Fields{"name": p.Name, "default": p.Default}
	for name, v := range p.Limits {
		fields["limits."+name] = v
	}
	return fields
}

// differing returns what of the fields is not the same. One that is only on one side is nil on the other.
func differing(a, b pgdb.Fields) (before, after pgdb.Fields) {
	before, after = pgdb.Fields{}, pgdb.Fields{}
	for name := range a {
		if a[name] != b[name] {
			before[name], after[name] = a[name], b[name]
		}
	}
	for name := range b {
		if a[name] != b[name] {
			before[name], after[name] = a[name], b[name]
		}
	}
	return before, after
}
