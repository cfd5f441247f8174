import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type Plan, useDeletePlan } from "../api/plans";
import { AlertDialog } from "../ui/alert-dialog";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { useToast } from "../ui/toast";
import { useProblemToast } from "./use-problem-toast";

/** A plan that tenants have is kept: they would have no limits all at once. */
export function DeletePlan({ plan }: { plan: Plan }) {
  const [asking, setAsking] = useState(false);
  const remove = useDeletePlan();
  const navigate = useNavigate();
  const toast = useToast();
  const tellProblem = useProblemToast();
  const inUse =
    plan.tenants > 0
      ? `${plan.tenants === 1 ? "A tenant has" : `${plan.tenants} tenants have`} this plan. Give them another one first.`
      : undefined;

  async function run() {
    try {
      await remove.mutateAsync({ planId: plan.id });
    } catch (error) {
      setAsking(false);
      tellProblem("The plan was not deleted", error);
      // Somebody may have got it in the meantime.
      await remove.refresh();
      return;
    }
    toast({ tone: "ok", title: "Plan deleted", detail: plan.name });
    await navigate({ to: "/platform/plans", ignoreBlocker: true });
    await remove.refresh();
  }

  return (
    <Card
      tone="bad"
      title="Delete this plan"
      description="Only a plan that no tenant has can be deleted."
      footer={
        <>
          <span className="min-w-0 text-muted">
            {inUse && (
              <>
                {inUse}{" "}
                <Link
                  to="/platform/tenants"
                  search={{ plan: plan.id }}
                  className="rounded-sm text-accent-text hover:underline"
                >
                  Show them
                </Link>
              </>
            )}
          </span>
          <Button size="sm" variant="danger" reason={inUse} onClick={() => setAsking(true)}>
            Delete plan
          </Button>
        </>
      }
    >
      <AlertDialog
        open={asking}
        onOpenChange={setAsking}
        title="Delete this plan?"
        action="Delete plan"
        typed={plan.name}
        busy={remove.isPending}
        onConfirm={() => void run()}
      >
        <p>
          No tenant has it, so no limit changes.{" "}
          {plan.isDefault && "New tenants get no plan until another one is given to them. "}
          This cannot be undone.
        </p>
      </AlertDialog>
    </Card>
  );
}
