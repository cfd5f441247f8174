import { RotateCcw } from "lucide-react";
import type { UseFormReturn } from "react-hook-form";
import type { PlanLimit } from "../api/plans";
import { Field, Input } from "../ui/field";
import { IconButton } from "../ui/icon-button";
import { checkLimit, limitKey } from "./limits";
import type { PlanValues } from "./plan-form";
import { planLimitInWords, unsetInWords } from "./plan-limits";
import { groupLimits, type NamedLimit, unitName } from "./setting-words";

/** All limits that a plan may set, in the groups in which an app's are read. */
export function PlanLimitFields({
  form,
  limits,
}: {
  form: UseFormReturn<PlanValues>;
  limits: readonly PlanLimit[];
}) {
  return groupLimits(limits).map((group) => (
    <fieldset key={group.title} className="border-line border-t pt-4">
      <legend className="float-left mb-4 w-full font-medium text-12 text-muted">{group.title}</legend>
      <div className="clear-both grid gap-x-4 gap-y-5 sm:grid-cols-2">
        {group.limits.map((named) => (
          <LimitField key={named.limit.name} form={form} named={named} />
        ))}
      </div>
    </fieldset>
  ));
}

function LimitField({
  form,
  named: { limit, name, of },
}: {
  form: UseFormReturn<PlanValues>;
  named: NamedLimit<PlanLimit>;
}) {
  const path = `limits.${limitKey(limit)}` as const;
  const unit = unitName(limit.unit);
  return (
    <Field
      label={name}
      hint={
        <>
          {of} {planLimitInWords(limit)}
        </>
      }
      error={form.formState.errors.limits?.[limitKey(limit)]?.message}
    >
      <div className="relative">
        <Input
          {...form.register(path, { validate: (text) => checkLimit(text, limit) })}
          placeholder={unsetInWords(limit)}
          inputMode="numeric"
          autoComplete="off"
          className="pr-28 tabular-nums"
        />
        <div className="pointer-events-none absolute inset-y-0 right-1 flex items-center gap-1">
          {unit && <span className="pr-2 text-13 text-muted">{unit}</span>}
          {form.watch(path) !== "" && (
            <IconButton
              size="sm"
              label={`Take ${name.toLowerCase()} out of the plan`}
              icon={<RotateCcw aria-hidden className="size-3.5" />}
              className="pointer-events-auto"
              onClick={() => {
                form.setValue(path, "", { shouldDirty: true, shouldValidate: true });
                form.setFocus(path);
              }}
            />
          )}
        </div>
      </div>
    </Field>
  );
}
