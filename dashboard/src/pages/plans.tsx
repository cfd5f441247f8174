import { Link } from "@tanstack/react-router";
import { Layers, Plus } from "lucide-react";
import { usePlans } from "../api/plans";
import { Page } from "../components/page";
import { PlansTable, PlansTableSkeleton } from "../components/plans-table";
import { LoadProblem } from "../components/problem";
import { buttonClass } from "../ui/button";
import { CodeBlock } from "../ui/code-block";
import { Empty } from "../ui/empty";

export function PlansPage() {
  const { plans, error, refetch, isFetching } = usePlans();
  const create = (
    <Link to="/platform/new-plan" className={buttonClass("primary")}>
      <Plus aria-hidden className="size-4" />
      Create plan
    </Link>
  );
  return (
    <Page
      title="Plans"
      context="Platform"
      description="A plan gives limits to the tenants that have it. Some bound all apps of a tenant together, the others each app."
      actions={plans && plans.length > 0 && create}
    >
      {plans === undefined && error && (
        <LoadProblem what="the plans" error={error} onRetry={() => void refetch()} busy={isFetching} />
      )}
      {plans === undefined && !error && <PlansTableSkeleton />}
      {plans?.length === 0 && (
        <Empty
          icon={<Layers aria-hidden className="size-5" />}
          title="There are no plans yet"
          action={create}
        >
          <p>
            Until a tenant has a plan, only the limits of its apps hold. Create one here, or from a shell with
            an API token:
          </p>
          <div className="mt-4 text-left">
            <CodeBlock
              title="Anywhere"
              language="bash"
              code={'peal plans create starter --name "Starter" connections=500'}
            />
          </div>
        </Empty>
      )}
      {plans && plans.length > 0 && <PlansTable plans={plans} />}
    </Page>
  );
}
