import { Link } from "@tanstack/react-router";
import type { Plan } from "../api/plans";
import { Badge } from "../ui/badge";
import { Skeleton } from "../ui/skeleton";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { inWhole } from "./amounts";
import { Name } from "./name";

export function PlansTable({ plans }: { plans: readonly Plan[] }) {
  return (
    <Table label="Plans" className="table-fixed">
      <PlansHead />
      <tbody>
        {plans.map((plan) => (
          <Row key={plan.id} className="relative">
            <Td>
              {/* The link covers its whole row. */}
              <Link
                to="/platform/plans/$planId"
                params={{ planId: plan.id }}
                className="block -outline-offset-2 font-medium after:absolute after:inset-0"
              >
                <Name>{plan.name}</Name>
              </Link>
            </Td>
            <Td className="max-md:hidden">
              <code className="block truncate text-12 text-muted">{plan.id}</code>
            </Td>
            <Td>{plan.isDefault && <Badge tone="accent">Default</Badge>}</Td>
            <Td className="text-right tabular-nums">
              {plan.tenants === 0 ? (
                <span className="text-muted">0</span>
              ) : (
                <Link
                  to="/platform/tenants"
                  search={{ plan: plan.id }}
                  aria-label={`The tenants that have ${plan.name}: ${inWhole(plan.tenants)}`}
                  className="relative rounded-sm text-accent-text hover:underline"
                >
                  {inWhole(plan.tenants)}
                </Link>
              )}
            </Td>
          </Row>
        ))}
      </tbody>
    </Table>
  );
}

function PlansHead() {
  return (
    <Head>
      <Th>Name</Th>
      <Th className="w-80 max-md:hidden">Plan id</Th>
      <Th className="w-28">
        <span className="max-sm:sr-only">New tenants</span>
      </Th>
      <Th className="w-24 text-right">Tenants</Th>
    </Head>
  );
}

export function PlansTableSkeleton() {
  return (
    <>
      <p role="status" className="sr-only">
        Loading plans
      </p>
      <div aria-hidden>
        <Table label="Loading" className="table-fixed">
          <PlansHead />
          <tbody>
            {["w-28", "w-40", "w-20"].map((width) => (
              <Row key={width}>
                <Td>
                  <Skeleton className={`${width} max-w-full`} />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-24" />
                </Td>
                <Td>
                  <Skeleton className="w-14" />
                </Td>
                <Td>
                  <Skeleton className="ml-auto w-6" />
                </Td>
              </Row>
            ))}
          </tbody>
        </Table>
      </div>
    </>
  );
}
