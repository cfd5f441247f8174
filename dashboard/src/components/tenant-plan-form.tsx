import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { explain, type Problem } from "../api/errors";
import { type Tenant, useSetTenantPlan } from "../api/operators";
import { usePlans } from "../api/plans";
import { Button } from "../ui/button";
import { Callout } from "../ui/callout";
import { Card } from "../ui/card";
import { Field } from "../ui/field";
import { Select } from "../ui/select";
import { useToast } from "../ui/toast";
import { planName } from "./plan-name";
import { FormProblem } from "./problem";

/** Gives the tenant another plan, or none, and tells what that does to what is going on. */
export function TenantPlanForm({ tenant }: { tenant: Tenant }) {
  const { plans, error, refetch, isFetching } = usePlans();
  const [picked, setPicked] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const [notices, setNotices] = useState<readonly string[]>([]);
  const change = useSetTenantPlan();
  const toast = useToast();
  const chosen = picked ?? tenant.planId;

  const known =
    plans?.map(({ id, name }) => ({ value: id, label: name === id ? name : `${name} (${id})` })) ?? [];
  const choices = [
    { value: "", label: "No plan" },
    ...known,
    // While they are being loaded, the one that the tenant has.
    ...(tenant.planId && !known.some(({ value }) => value === tenant.planId)
      ? [{ value: tenant.planId, label: tenant.planId }]
      : []),
  ];

  async function save() {
    setProblem(undefined);
    setNotices([]);
    try {
      const answer = await change.mutateAsync({ tenantId: tenant.id, planId: chosen });
      setPicked(undefined);
      setNotices(answer.notices.map(({ text }) => text));
      toast({
        tone: "ok",
        title: "Plan changed",
        detail: chosen
          ? `${tenant.name} has ${planName(chosen, plans)} now`
          : `${tenant.name} has no plan now`,
      });
    } catch (error) {
      setProblem(explain(error));
    }
  }

  const inForm = problem?.fields["planId"];
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Card
        title="Plan"
        description="It holds on every edge within two seconds. Who is connected stays connected, also above a limit that the plan brings."
        footer={
          <>
            <span className="min-w-0 text-muted">
              {tenant.planId && (
                <Link
                  to="/platform/plans/$planId"
                  params={{ planId: tenant.planId }}
                  className="rounded-sm text-accent-text hover:underline"
                >
                  See its limits
                </Link>
              )}
            </span>
            <Button
              type="submit"
              size="sm"
              variant="primary"
              busy={change.isPending}
              reason={chosen === tenant.planId ? "It has this plan already." : undefined}
            >
              Change plan
            </Button>
          </>
        }
      >
        {!inForm && <FormProblem problem={problem} />}
        {notices.length > 0 && (
          <div role="status">
            <Callout tone="warn" title="The plan was changed. It is below what is going on.">
              <ul className="mt-1 flex flex-col gap-1">
                {notices.map((text) => (
                  <li key={text}>{text}</li>
                ))}
              </ul>
            </Callout>
          </div>
        )}
        {plans === undefined && error ? (
          <Callout tone="bad" title="The plans could not be loaded">
            <p className="text-muted">{explain(error).message}</p>
            <Button className="mt-2" size="sm" busy={isFetching} onClick={() => void refetch()}>
              Try again
            </Button>
          </Callout>
        ) : (
          <Field
            label="Plan of this tenant"
            hint={
              chosen === ""
                ? "Without a plan only the limits of its apps hold."
                : "An app may have tighter limits of its own."
            }
            error={inForm}
          >
            <Select
              choices={choices}
              value={chosen}
              onChange={(value) => {
                setPicked(value);
                setProblem(undefined);
              }}
            />
          </Field>
        )}
      </Card>
    </form>
  );
}
