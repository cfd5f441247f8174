import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { usePlans } from "../api/plans";
import { DeletePlan } from "../components/delete-plan";
import { Missing } from "../components/missing";
import { Page } from "../components/page";
import { PlanForm } from "../components/plan-form";
import { LoadProblem } from "../components/problem";
import { SettingsSkeleton } from "../components/settings-skeleton";
import { UnsavedGuard } from "../components/unsaved";

export function NewPlanPage() {
  const { limits } = usePlans();
  return (
    <PlanFrame title="Create plan">
      <UnsavedGuard>{limits && <PlanForm limits={limits} />}</UnsavedGuard>
    </PlanFrame>
  );
}

export function PlanPage() {
  const { planId } = useParams({ from: "/shell/platform/plans/$planId" });
  const { plans, limits } = usePlans();
  const plan = plans?.find(({ id }) => id === planId);
  if (plans && !plan) {
    return (
      <Missing title="No such plan" back={{ to: "/platform/plans", label: "Go to plans" }}>
        There is no plan with the id <span className="break-all">{planId}</span>.
      </Missing>
    );
  }
  return (
    <PlanFrame title={plan?.name ?? "Plan"}>
      {plan && limits && (
        <UnsavedGuard key={plan.id}>
          <div className="flex flex-col gap-6">
            <PlanForm plan={plan} limits={limits} />
            <DeletePlan plan={plan} />
          </div>
        </UnsavedGuard>
      )}
    </PlanFrame>
  );
}

/** The page while the plans are not there: being loaded, or not to be had. */
function PlanFrame({ title, children }: { title: string; children: ReactNode }) {
  const { plans, error, refetch, isFetching } = usePlans();
  return (
    <Page title={title} context="Plans" narrow>
      {plans && children}
      {plans === undefined && error && (
        <LoadProblem what="the plans" error={error} onRetry={() => void refetch()} busy={isFetching} />
      )}
      {plans === undefined && !error && (
        <div className="flex flex-col gap-6">
          <SettingsSkeleton />
        </div>
      )}
    </Page>
  );
}
