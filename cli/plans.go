package cli

import (
	"io"

	"github.com/spf13/cobra"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func plansCommand() *cobra.Command {
	return group("plans", "For operators: the plans that give limits to tenants",
		"For operators of the platform: the plans that give limits to tenants. Some of them bound all apps of a tenant together, the\n"+
			"others each app, which may have tighter ones of its own.",
		plansListCommand(), plansShowCommand(), plansCreateCommand(), plansUpdateCommand(), plansDeleteCommand())
}

func plansListCommand() *cobra.Command {
	return onPlatform(&cobra.Command{Use: "list", Short: "List the plans", Args: noArgs}, func(s *session, _ []string) error {
		list, err := s.plans().ListPlans(s.Context(), &adminv1.ListPlansRequest{})
		if err != nil {
			return err
		}
		return s.print(list, func(w io.Writer) {
			row(w, "ID", "NAME", "DEFAULT", "TENANTS")
			for _, p := range list.GetPlans() {
				row(w, p.GetId(), p.GetName(), p.GetIsDefault(), p.GetTenants())
			}
		})
	})
}

func plansShowCommand() *cobra.Command {
	return onPlatform(&cobra.Command{Use: "show PLAN", Short: "Show one plan with its limits", Args: takes(1, 1, "the id of one plan")},
		func(s *session, args []string) error {
			list, err := s.plans().ListPlans(s.Context(), &adminv1.ListPlansRequest{})
			if err != nil {
				return err
			}
			for _, p := range list.GetPlans() {
				if p.GetId() == args[0] {
					return s.printPlan(p)
				}
			}
			return notFound("there is no plan %q; `peal plans list` shows those that are", args[0])
		})
}

func (s *session) printPlan(p *adminv1.Plan) error {
	return s.print(p, func(w io.Writer) {
		row(w, "LIMIT", "VALUE", "BOUNDS", "DEFAULT")
		for _, l := range p.GetLimits() {
			value, whom := "", "each app"
			if l.Value != nil {
				value = bounds(l.GetValue(), l.GetMin())
			}
			if l.GetTogether() {
				whom = "all apps together"
			}
			row(w, l.GetName(), value, whom, bounds(l.GetDefaultValue(), l.GetMin()))
		}
	})
}

func plansCreateCommand() *cobra.Command {
	var name string
	var isDefault bool
	cmd := onPlatform(&cobra.Command{
		Use: "create PLAN [LIMIT=VALUE...]", Short: "Create a plan", Args: takes(1, -1, "the id of a plan, and limits"),
		Example: "  peal plans create pro --name Pro connections=5000 messages_per_day=10000000",
	}, func(s *session, args []string) error {
		changes, err := limitChanges(args[1:])
		if err != nil {
			return err
		}
		if name == "" {
			name = args[0]
		}
		p, err := s.plans().CreatePlan(s.Context(), &adminv1.CreatePlanRequest{Id: args[0], Name: name, IsDefault: isDefault, Limits: changes})
		if err != nil {
			return err
		}
		return s.printPlan(p.GetPlan())
	})
	cmd.Flags().StringVar(&name, "name", "", "name for people; by default the id")
	cmd.Flags().BoolVar(&isDefault, "default", false, "give it to new tenants")
	return cmd
}

func plansUpdateCommand() *cobra.Command {
	var name string
	var isDefault bool
	cmd := onPlatform(&cobra.Command{
		Use: "update PLAN [LIMIT=VALUE...]", Short: "Change a plan, and what its tenants may do", Args: takes(1, -1, "the id of a plan, and limits"),
		Long:    "Change what is named of a plan. The value default takes a limit out of it. It holds on every edge within two seconds.",
		Example: "  peal plans update pro connections=8000 payload_bytes=default",
	}, func(s *session, args []string) error {
		changes, err := limitChanges(args[1:])
		if err != nil {
			return err
		}
		req := &adminv1.UpdatePlanRequest{PlanId: args[0], Limits: changes}
		if s.Flags().Changed("name") {
			req.Name = &name
		}
		if s.Flags().Changed("default") {
			req.IsDefault = &isDefault
		}
		if len(args) == 1 && req.Name == nil && req.IsDefault == nil {
			return usagef("nothing to change: name a limit, --name or --default")
		}
		p, err := s.plans().UpdatePlan(s.Context(), req)
		if err != nil {
			return err
		}
		return s.printPlan(p.GetPlan())
	})
	cmd.Flags().StringVar(&name, "name", "", "name for people")
	cmd.Flags().BoolVar(&isDefault, "default", false, "give it to new tenants; --default=false to no more")
	return cmd
}

func plansDeleteCommand() *cobra.Command {
	var yes bool
	cmd := onPlatform(&cobra.Command{Use: "delete PLAN", Short: "Delete a plan that no tenant has", Args: takes(1, 1, "the id of one plan")},
		func(s *session, args []string) error {
			if err := s.confirmed(yes, "Delete the plan "+args[0]+"?"); err != nil {
				return err
			}
			if _, err := s.plans().DeletePlan(s.Context(), &adminv1.DeletePlanRequest{PlanId: args[0]}); err != nil {
				return err
			}
			s.done("deleted")
			return nil
		})
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}
