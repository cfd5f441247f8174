package cli

import (
	"io"

	"github.com/spf13/cobra"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func tenantsCommand() *cobra.Command {
	return group("tenants", "For operators: see tenants, give them plans, suspend them",
		"For operators of the platform: see tenants, give them plans, suspend them. `peal operators`, on the host, says who is one.",
		tenantsListCommand(), tenantsShowCommand(), tenantsPlanCommand(), tenantsSuspendCommand(), tenantsResumeCommand())
}

func tenantsListCommand() *cobra.Command {
	var text, plan string
	var suspended bool
	cmd := onPlatform(&cobra.Command{Use: "list", Short: "List tenants, newest first", Args: noArgs}, func(s *session, _ []string) error {
		all := &adminv1.ListTenantsResponse{}
		req := &adminv1.ListTenantsRequest{Text: text, PlanId: plan, SuspendedOnly: suspended, PageSize: 200}
		for {
			page, err := s.operators().ListTenants(s.Context(), req)
			if err != nil {
				return err
			}
			all.Tenants = append(all.Tenants, page.GetTenants()...)
			if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
				break
			}
		}
		return s.print(all, func(w io.Writer) { tenantRows(w, all.GetTenants()...) })
	})
	cmd.Flags().StringVar(&text, "search", "", "part of a name or of an owner's address, or a whole id")
	cmd.Flags().StringVar(&plan, "plan", "", "only those with this plan")
	cmd.Flags().BoolVar(&suspended, "suspended", false, "only those that are suspended")
	return cmd
}

func tenantRows(w io.Writer, list ...*adminv1.Tenant) {
	row(w, "ID", "NAME", "OWNER", "PLAN", "APPS", "MEMBERS", "CREATED", "SUSPENDED FOR")
	for _, t := range list {
		owner := ""
		if len(t.GetOwners()) > 0 {
			owner = t.GetOwners()[0]
		}
		row(w, t.GetId(), t.GetName(), owner, t.GetPlanId(), t.GetApps(), t.GetMembers(), t.GetCreateTime(), t.GetSuspendReason())
	}
}

func tenantsShowCommand() *cobra.Command {
	return onPlatform(&cobra.Command{Use: "show TENANT", Short: "Show one tenant", Args: takes(1, 1, "the id of one tenant")},
		func(s *session, args []string) error {
			t, err := s.operators().GetTenant(s.Context(), &adminv1.GetTenantRequest{TenantId: args[0]})
			if err != nil {
				return err
			}
			return s.print(t, func(w io.Writer) { tenantRows(w, t.GetTenant()) })
		})
}

func tenantsPlanCommand() *cobra.Command {
	return onPlatform(&cobra.Command{
		Use: "set-plan TENANT PLAN", Short: "Give a tenant a plan; none takes it away", Args: takes(2, 2, "the id of a tenant, and that of a plan or none"),
	}, func(s *session, args []string) error {
		plan := args[1]
		if plan == "none" {
			plan = ""
		}
		t, err := s.operators().SetTenantPlan(s.Context(), &adminv1.SetTenantPlanRequest{TenantId: args[0], PlanId: plan})
		if err != nil {
			return err
		}
		s.tell(t.GetNotices())
		return s.print(t, func(w io.Writer) { tenantRows(w, t.GetTenant()) })
	})
}

func tenantsSuspendCommand() *cobra.Command {
	var reason string
	var yes bool
	cmd := onPlatform(&cobra.Command{
		Use: "suspend TENANT --reason TEXT", Short: "Stop all apps of a tenant, and keep its members from changing anything",
		Args: takes(1, 1, "the id of one tenant"),
	}, func(s *session, args []string) error {
		if reason == "" {
			return usagef("say why with --reason: the members of the tenant will read it")
		}
		if err := s.confirmed(yes, "Suspend the tenant "+args[0]+"? All sockets of its apps are closed."); err != nil {
			return err
		}
		t, err := s.operators().SuspendTenant(s.Context(), &adminv1.SuspendTenantRequest{TenantId: args[0], Reason: reason})
		if err != nil {
			return err
		}
		return s.print(t, func(w io.Writer) { tenantRows(w, t.GetTenant()) })
	})
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the members of the tenant to read")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func tenantsResumeCommand() *cobra.Command {
	return onPlatform(&cobra.Command{Use: "resume TENANT", Short: "End the suspension of a tenant", Args: takes(1, 1, "the id of one tenant")},
		func(s *session, args []string) error {
			t, err := s.operators().ResumeTenant(s.Context(), &adminv1.ResumeTenantRequest{TenantId: args[0]})
			if err != nil {
				return err
			}
			return s.print(t, func(w io.Writer) { tenantRows(w, t.GetTenant()) })
		})
}
