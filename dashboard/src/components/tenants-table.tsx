import { Link } from "@tanstack/react-router";
import type { Tenant } from "../api/operators";
import type { Plan } from "../api/plans";
import { toDate } from "../api/time";
import { Skeleton } from "../ui/skeleton";
import { StatusDot } from "../ui/status-dot";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { Ago } from "./ago";
import { inWhole } from "./amounts";
import { Name } from "./name";
import { planName } from "./plan-name";

export function TenantsTable({
  tenants,
  plans,
}: {
  tenants: readonly Tenant[];
  plans: readonly Plan[] | undefined;
}) {
  return (
    <Table label="Tenants" className="table-fixed">
      <TenantsHead />
      <tbody>
        {tenants.map((tenant) => (
          <Row key={tenant.id} className="relative">
            <Td>
              {/* The link covers its whole row. */}
              <Link
                to="/platform/tenants/$tenantId"
                params={{ tenantId: tenant.id }}
                className="block -outline-offset-2 font-medium after:absolute after:inset-0"
              >
                <Name>{tenant.name}</Name>
              </Link>
            </Td>
            <Td className="text-muted max-md:hidden">
              <Owners tenant={tenant} />
            </Td>
            <Td className="max-sm:hidden">
              {tenant.planId ? (
                <Name>{planName(tenant.planId, plans)}</Name>
              ) : (
                <span className="text-faint">No plan</span>
              )}
            </Td>
            <Td className="text-right tabular-nums max-lg:hidden">{inWhole(tenant.apps)}</Td>
            <Td className="text-right tabular-nums max-lg:hidden">{inWhole(tenant.members)}</Td>
            <Td className="text-muted max-lg:hidden">
              <span className="relative">
                {tenant.createTime && <Ago date={toDate(tenant.createTime)} />}
              </span>
            </Td>
            <Td>
              <TenantState tenant={tenant} />
            </Td>
          </Row>
        ))}
      </tbody>
    </Table>
  );
}

/** The first owner, and how many others there are. */
function Owners({ tenant: { owners } }: { tenant: Tenant }) {
  const [first, ...others] = owners;
  if (first === undefined) return <span className="text-faint">None</span>;
  return (
    <span className="flex min-w-0 gap-1.5" title={owners.join(", ")}>
      <span className="min-w-0 truncate">{first}</span>
      {others.length > 0 && (
        <span className="shrink-0 text-faint">
          +{others.length}
          <span className="sr-only"> more</span>
        </span>
      )}
    </span>
  );
}

export function TenantState({ tenant }: { tenant: Tenant }) {
  return (
    <span className="flex items-center gap-2">
      <StatusDot tone={tenant.suspendTime ? "bad" : "ok"} />
      {tenant.suspendTime ? "Suspended" : "Active"}
    </span>
  );
}

function TenantsHead() {
  return (
    <Head>
      <Th>Name</Th>
      <Th className="max-md:hidden">Owner</Th>
      <Th className="w-36 max-sm:hidden">Plan</Th>
      <Th className="w-20 text-right max-lg:hidden">Apps</Th>
      <Th className="w-24 text-right max-lg:hidden">Members</Th>
      <Th className="w-36 max-lg:hidden">Created</Th>
      <Th className="w-32">Status</Th>
    </Head>
  );
}

export function TenantsTableSkeleton() {
  return (
    <>
      <p role="status" className="sr-only">
        Loading tenants
      </p>
      <div aria-hidden>
        <Table label="Loading" className="table-fixed">
          <TenantsHead />
          <tbody>
            {["w-40", "w-28", "w-48", "w-36"].map((width) => (
              <Row key={width}>
                <Td>
                  <Skeleton className={`${width} max-w-full`} />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-44 max-w-full" />
                </Td>
                <Td className="max-sm:hidden">
                  <Skeleton className="w-16" />
                </Td>
                <Td className="max-lg:hidden">
                  <Skeleton className="ml-auto w-6" />
                </Td>
                <Td className="max-lg:hidden">
                  <Skeleton className="ml-auto w-6" />
                </Td>
                <Td className="max-lg:hidden">
                  <Skeleton className="w-20" />
                </Td>
                <Td>
                  <Skeleton className="w-16" />
                </Td>
              </Row>
            ))}
          </tbody>
        </Table>
      </div>
    </>
  );
}
