import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { explain } from "../api/errors";
import { type Tenant, useTenant } from "../api/operators";
import { usePlans } from "../api/plans";
import { toDate } from "../api/time";
import { Ago } from "../components/ago";
import { inWhole } from "../components/amounts";
import { LookAtTenant } from "../components/look-at-tenant";
import { Missing } from "../components/missing";
import { Name } from "../components/name";
import { Page } from "../components/page";
import { PageSkeleton } from "../components/page-skeleton";
import { planName } from "../components/plan-name";
import { LoadProblem } from "../components/problem";
import { SuspendTenant } from "../components/suspend-tenant";
import { TenantPlanForm } from "../components/tenant-plan-form";
import { TenantState } from "../components/tenants-table";
import { Callout } from "../ui/callout";
import { Card } from "../ui/card";
import { CopyButton } from "../ui/copy-button";

export function TenantPage() {
  const { tenantId } = useParams({ from: "/shell/platform/tenants/$tenantId" });
  const { tenant, error, refetch, isFetching } = useTenant(tenantId);
  if (tenant) {
    return (
      <Page
        title={tenant.name}
        context="Tenants"
        actions={<LookAtTenant tenantId={tenant.id} name={tenant.name} />}
        narrow
      >
        {/* Keyed, so that nothing typed for one tenant is seen at another. */}
        <div key={tenant.id} className="flex flex-col gap-6">
          {tenant.suspendTime && <Suspended tenant={tenant} />}
          <Facts tenant={tenant} />
          <TenantPlanForm tenant={tenant} />
          <SuspendTenant key={tenant.suspendTime ? "resume" : "suspend"} tenant={tenant} />
        </div>
      </Page>
    );
  }
  if (!error) return <PageSkeleton what="the tenant" />;
  const { kind } = explain(error);
  if (kind === "not-found" || kind === "invalid") {
    return (
      <Missing title="No such tenant" back={{ to: "/platform/tenants", label: "Go to tenants" }}>
        There is no tenant with the id <span className="break-all">{tenantId}</span>.
      </Missing>
    );
  }
  return (
    <Page title="Tenant">
      <LoadProblem what="the tenant" error={error} onRetry={() => void refetch()} busy={isFetching} />
    </Page>
  );
}

function Suspended({ tenant }: { tenant: Tenant }) {
  return (
    <Callout tone="warn" title="This tenant is suspended">
      <p>
        {tenant.suspendTime && <Ago date={toDate(tenant.suspendTime)} />}, for this reason, which its members
        read: <bdi className="whitespace-pre-line break-words">{tenant.suspendReason}</bdi>
      </p>
    </Callout>
  );
}

function Facts({ tenant }: { tenant: Tenant }) {
  const { plans } = usePlans();
  return (
    <Card title="About this tenant">
      <dl className="-mb-2 text-13">
        <Fact name="Tenant id">
          <code className="truncate text-12">{tenant.id}</code>
          <CopyButton what="tenant id" source={tenant.id} />
        </Fact>
        <Fact name={tenant.owners.length === 1 ? "Owner" : "Owners"}>
          <ul className="flex min-w-0 flex-col gap-1">
            {tenant.owners.map((email) => (
              <li key={email} className="break-all">
                {email}
              </li>
            ))}
            {tenant.owners.length === 0 && <li className="text-muted">None</li>}
          </ul>
        </Fact>
        <Fact name="Plan">
          {tenant.planId ? (
            <Name>{planName(tenant.planId, plans)}</Name>
          ) : (
            <span className="text-muted">
              None.{" "}
              <Link to="/platform/plans" className="rounded-sm text-accent-text hover:underline">
                See the plans
              </Link>
            </span>
          )}
        </Fact>
        <Fact name="Apps">
          <span className="tabular-nums">{inWhole(tenant.apps)}</span>
        </Fact>
        <Fact name="Members">
          <span className="tabular-nums">{inWhole(tenant.members)}</span>
        </Fact>
        <Fact name="Created">{tenant.createTime && <Ago date={toDate(tenant.createTime)} />}</Fact>
        <Fact name="Status">
          <TenantState tenant={tenant} />
        </Fact>
      </dl>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex min-h-10 items-center gap-4 border-line border-b py-1.5 last:border-b-0">
      <dt className="w-24 shrink-0 text-muted">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1">{children}</dd>
    </div>
  );
}
