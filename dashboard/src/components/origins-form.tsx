import { Plus, X } from "lucide-react";
import { type ClipboardEvent, useEffect, useId, useRef, useState } from "react";
import { useFieldArray, useForm } from "react-hook-form";
import { explain, type Problem } from "../api/errors";
import { Permission, useReasonAgainst } from "../api/permission";
import { type AppSettings, useUpdateAppSettings } from "../api/settings";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { Field, Input } from "../ui/field";
import { IconButton } from "../ui/icon-button";
import { useToast } from "../ui/toast";
import { OriginTester } from "./origin-tester";
import { filledRows, messagesByRow, splitOrigins } from "./origins";
import { FormProblem } from "./problem";
import { useUnsaved } from "./unsaved";

type Rows = { rows: { value: string }[] };

const most = 100;

const toRows = ({ origins }: AppSettings): Rows => ({ rows: origins.map((value) => ({ value })) });

export function OriginsForm({ settings }: { settings: AppSettings }) {
  const form = useForm<Rows>({ defaultValues: toRows(settings) });
  const rows = useFieldArray({ control: form.control, name: "rows" });
  const { isDirty, errors } = form.formState;
  const [problem, setProblem] = useState<Problem>();
  const update = useUpdateAppSettings(settings.appId);
  const toast = useToast();
  const notAllowed = useReasonAgainst(Permission.APPS_WRITE);
  const add = useRef<HTMLButtonElement>(null);
  const formId = useId();
  useUnsaved("Allowed origins", isDirty);
  useEffect(() => {
    if (!isDirty) form.reset(toRows(settings));
  }, [form, isDirty, settings]);

  /** Puts the server's messages at the rows that were sent. Returns what has no row. */
  function place(error: unknown, path: string, rowOf: number[]): Problem | undefined {
    const found = explain(error);
    const messages = messagesByRow(found.fields, path, rowOf);
    for (const [index, { row, message }] of messages.entries()) {
      form.setError(`rows.${row}.value`, { type: "server", message }, { shouldFocus: index === 0 });
    }
    return messages.length > 0 ? undefined : found;
  }

  const submit = form.handleSubmit(async (values) => {
    setProblem(undefined);
    const { list, rowOf } = filledRows(values.rows);
    try {
      const answer = await update.mutateAsync({ appId: settings.appId, origins: { list } });
      if (answer.settings) form.reset(toRows(answer.settings));
      toast({ tone: "ok", title: "Allowed origins saved" });
    } catch (error) {
      setProblem(place(error, "origins.list", rowOf));
    }
  });

  function paste(event: ClipboardEvent, index: number) {
    const [first, ...others] = splitOrigins(event.clipboardData.getData("text"));
    if (first === undefined || others.length === 0) return;
    event.preventDefault();
    form.setValue(`rows.${index}.value`, first, { shouldDirty: true });
    rows.insert(
      index + 1,
      others.map((value) => ({ value })),
    );
  }

  function remove(index: number) {
    rows.remove(index);
    // The button that had the focus is gone.
    add.current?.focus();
  }

  const full = rows.fields.length >= most ? `A list has at most ${most} origins.` : undefined;
  return (
    <Card
      title="Allowed origins"
      description={
        <>
          The sites whose pages may connect, such as <code className="text-12">https://example.com</code>. A
          star stands for one label, as in <code className="text-12">https://*.example.com</code>. This keeps
          other sites' pages out; programs outside of a browser can name any origin.
        </>
      }
      footer={
        <>
          <span className="text-muted">
            {rows.fields.length === 0
              ? "No list: the pages of every site may connect"
              : `At most ${most} origins`}
          </span>
          <Button
            type="submit"
            form={formId}
            size="sm"
            variant="primary"
            busy={update.isPending}
            reason={notAllowed ?? (isDirty ? undefined : "Nothing has changed.")}
          >
            Save origins
          </Button>
        </>
      }
    >
      <FormProblem problem={problem} />
      <form id={formId} noValidate onSubmit={submit} className="flex flex-col gap-2">
        {rows.fields.map((row, index) => (
          <div key={row.id} className="flex items-start gap-1">
            <Field
              label={`Origin ${index + 1}`}
              hideLabel
              error={errors.rows?.[index]?.value?.message}
              className="min-w-0 flex-1"
            >
              <Input
                {...form.register(`rows.${index}.value`)}
                readOnly={notAllowed !== undefined}
                onPaste={(event) => paste(event, index)}
                placeholder="https://example.com"
                inputMode="url"
                autoComplete="off"
                autoCapitalize="off"
                spellCheck={false}
              />
            </Field>
            {notAllowed === undefined && (
              <IconButton
                label={`Remove origin ${index + 1}`}
                icon={<X aria-hidden className="size-4" />}
                onClick={() => remove(index)}
              />
            )}
          </div>
        ))}
        <div>
          <Button
            ref={add}
            size="sm"
            icon={<Plus aria-hidden className="size-3.5" />}
            reason={notAllowed ?? full}
            onClick={() => rows.append({ value: "" })}
          >
            Add origin
          </Button>
        </div>
      </form>
      <OriginTester
        rows={form.watch("rows")}
        onBadRow={(error, rowOf) => place(error, "origins", rowOf) === undefined}
      />
    </Card>
  );
}
