import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Controller, useForm } from "react-hook-form";
import type { Problem } from "../api/errors";
import { type Plan, type PlanLimit, useCreatePlan, useUpdatePlan } from "../api/plans";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { Field, Input } from "../ui/field";
import { SwitchField } from "../ui/switch";
import { useToast } from "../ui/toast";
import { type LimitTexts, limitKey } from "./limits";
import { PlanLimitFields } from "./plan-limit-fields";
import { planChanges, toPlanTexts } from "./plan-limits";
import { FormProblem } from "./problem";
import { checkName, checkPlanId } from "./rules";
import { placeErrors } from "./server-errors";
import { useUnsaved } from "./unsaved";

export type PlanValues = { id: string; name: string; isDefault: boolean; limits: LimitTexts };

const toValues = (plan: Plan | undefined, limits: readonly PlanLimit[]): PlanValues => ({
  id: plan?.id ?? "",
  name: plan?.name ?? "",
  isDefault: plan?.isDefault ?? false,
  limits: toPlanTexts(plan?.limits ?? limits),
});

/** What a plan is called and what it allows: of one that is there, or of a new one. */
export function PlanForm({ plan, limits }: { plan?: Plan; limits: readonly PlanLimit[] }) {
  const form = useForm<PlanValues>({ defaultValues: toValues(plan, limits) });
  const { isDirty, errors } = form.formState;
  const [problem, setProblem] = useState<Problem>();
  const create = useCreatePlan();
  const update = useUpdatePlan();
  const navigate = useNavigate();
  const toast = useToast();
  useUnsaved("Plan", isDirty);
  // What somebody else changed shows as long as nothing is being changed here.
  useEffect(() => {
    if (plan && !isDirty) form.reset(toValues(plan, plan.limits));
  }, [form, isDirty, plan]);

  async function send(values: PlanValues) {
    const name = values.name.trim();
    if (!plan) {
      const id = values.id.trim();
      const changes = planChanges(values.limits, limits);
      await create.mutateAsync({ id, name, isDefault: values.isDefault, limits: changes });
      toast({ tone: "ok", title: "Plan created", detail: name });
      await navigate({ to: "/platform/plans", ignoreBlocker: true });
      return;
    }
    const answer = await update.mutateAsync({
      planId: plan.id,
      limits: planChanges(values.limits, plan.limits),
      ...(name === plan.name ? {} : { name }),
      ...(values.isDefault === plan.isDefault ? {} : { isDefault: values.isDefault }),
    });
    if (answer.plan) form.reset(toValues(answer.plan, limits));
    toast({ tone: "ok", title: "Plan saved", detail: name });
  }

  const submit = form.handleSubmit(async (values) => {
    setProblem(undefined);
    try {
      await send(values);
    } catch (error) {
      const paths = limits.map((limit) => `limits.${limitKey(limit)}` as const);
      setProblem(placeErrors(error, form, ["id", "name", ...paths]));
    }
  });

  return (
    <form noValidate onSubmit={submit}>
      <Card
        title={plan ? "What it allows" : "A new plan"}
        description={
          plan
            ? `${heldBy(plan.tenants)} A change holds on every edge within two seconds; apps keep what they have set, and the tighter of the two holds.`
            : "An empty limit is one of which the plan says nothing: then the limits of each app hold, or else their defaults."
        }
        footer={
          <>
            <span />
            <Button
              type="submit"
              size="sm"
              variant="primary"
              busy={create.isPending || update.isPending}
              reason={plan && !isDirty ? "Nothing has changed." : undefined}
            >
              {plan ? "Save plan" : "Create plan"}
            </Button>
          </>
        }
      >
        <FormProblem problem={problem} />
        <div className="grid gap-x-4 gap-y-5 sm:grid-cols-2">
          <Field label="Name" hint="For people. It can be changed later." error={errors.name?.message}>
            <Input
              {...form.register("name", { validate: checkName })}
              autoFocus={!plan}
              autoComplete="off"
              dir="auto"
              className="text-left"
              placeholder="Starter"
            />
          </Field>
          <Field
            label="Plan id"
            hint={plan ? "It cannot be changed." : "For commands and files. It cannot be changed later."}
            error={errors.id?.message}
          >
            <Input
              {...form.register("id", plan ? {} : { validate: checkPlanId })}
              readOnly={plan !== undefined}
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
              className="font-mono"
              placeholder="starter"
            />
          </Field>
        </div>
        <div className="-my-3">
          <Controller
            control={form.control}
            name="isDefault"
            render={({ field }) => (
              <SwitchField
                label="Given to new tenants"
                hint="One plan at most is: it takes the place of another. Tenants that are there keep what they have."
                checked={field.value}
                onChange={field.onChange}
              />
            )}
          />
        </div>
        <PlanLimitFields form={form} limits={plan?.limits ?? limits} />
      </Card>
    </form>
  );
}

function heldBy(tenants: number): string {
  if (tenants === 0) return "No tenant has it.";
  return tenants === 1 ? "One tenant has it." : `${tenants} tenants have it.`;
}
