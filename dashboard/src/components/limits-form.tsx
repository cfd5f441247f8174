import { RotateCcw } from "lucide-react";
import { useEffect, useState } from "react";
import { useForm } from "react-hook-form";
import { explain, type Problem } from "../api/errors";
import { Permission, useReasonAgainst } from "../api/permission";
import { type AppSettings, type Limit, useUpdateAppSettings } from "../api/settings";
import { useLimitUse } from "../api/usage";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { Field, Input } from "../ui/field";
import { IconButton } from "../ui/icon-button";
import { useToast } from "../ui/toast";
import {
  changesOf,
  checkLimit,
  defaultInWords,
  type LimitTexts,
  limitKey,
  planInWords,
  rangeInWords,
  toTexts,
} from "./limits";
import { FormProblem } from "./problem";
import { groupLimits, type NamedLimit, unitName } from "./setting-words";
import { useUnsaved } from "./unsaved";
import { UseOfLimit } from "./use-of-limit";

type Values = { limits: LimitTexts };

const toValues = ({ limits }: AppSettings): Values => ({ limits: toTexts(limits) });

export function LimitsForm({ settings }: { settings: AppSettings }) {
  const form = useForm<Values>({ defaultValues: toValues(settings) });
  const { isDirty, errors } = form.formState;
  const [problem, setProblem] = useState<Problem>();
  const update = useUpdateAppSettings(settings.appId);
  const toast = useToast();
  const notAllowed = useReasonAgainst(Permission.APPS_WRITE);
  const { limits: use } = useLimitUse(settings.appId);
  useUnsaved("Limits", isDirty);
  useEffect(() => {
    if (!isDirty) form.reset(toValues(settings));
  }, [form, isDirty, settings]);

  const submit = form.handleSubmit(async ({ limits }) => {
    setProblem(undefined);
    try {
      const changes = changesOf(limits, settings.limits);
      const answer = await update.mutateAsync({ appId: settings.appId, limits: changes });
      form.reset(toValues(answer.settings ?? settings));
      const detail = answer.notices.map(({ text }) => text).join(" ");
      toast({ tone: "ok", title: "Limits saved", detail: detail || undefined });
    } catch (error) {
      const found = explain(error);
      const marked = settings.limits.map(limitKey).filter((key) => `limits.${key}` in found.fields);
      for (const key of marked) {
        const message = found.fields[`limits.${key}`] ?? "";
        form.setError(`limits.${key}`, { type: "server", message }, { shouldFocus: key === marked[0] });
      }
      setProblem(marked.length > 0 ? undefined : found);
    }
  });

  const number = ({ limit, name, of }: NamedLimit<Limit>) => {
    const path = `limits.${limitKey(limit)}` as const;
    const filled = form.watch(path) !== "";
    const unit = unitName(limit.unit);
    return (
      <Field
        key={limit.name}
        label={name}
        hint={
          <>
            {of} {planInWords(limit) ?? rangeInWords(limit)}
            <UseOfLimit name={limit.name} uses={use} />
          </>
        }
        error={errors.limits?.[limitKey(limit)]?.message}
      >
        <div className="relative">
          <Input
            {...form.register(path, { validate: (text) => checkLimit(text, limit) })}
            readOnly={notAllowed !== undefined}
            placeholder={defaultInWords(limit)}
            inputMode="numeric"
            autoComplete="off"
            className="pr-28 tabular-nums"
          />
          <div className="pointer-events-none absolute inset-y-0 right-1 flex items-center gap-1">
            {unit && <span className="pr-2 text-13 text-muted">{unit}</span>}
            {filled && notAllowed === undefined && (
              <IconButton
                size="sm"
                label={`Reset ${name.toLowerCase()} to its default`}
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
  };

  return (
    <form noValidate onSubmit={submit}>
      <Card
        title="Limits"
        description="What clients and servers of this app may do. An empty field follows your plan, or else the default of this installation."
        footer={
          <>
            <span />
            <Button
              type="submit"
              size="sm"
              variant="primary"
              busy={update.isPending}
              reason={notAllowed ?? (isDirty ? undefined : "Nothing has changed.")}
            >
              Save limits
            </Button>
          </>
        }
      >
        <FormProblem problem={problem} />
        {groupLimits(settings.limits).map(({ title, limits }) => (
          <fieldset key={title} className="border-line border-t pt-4">
            <legend className="float-left mb-4 w-full font-medium text-12 text-muted">{title}</legend>
            <div className="clear-both grid gap-x-4 gap-y-5 sm:grid-cols-2">{limits.map(number)}</div>
          </fieldset>
        ))}
      </Card>
    </form>
  );
}
