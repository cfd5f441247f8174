import { ArrowDown, ArrowUp, Plus, X } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { type UseFormReturn, useFieldArray, useForm } from "react-hook-form";
import { explain, type Problem } from "../api/errors";
import { Permission, useReasonAgainst } from "../api/permission";
import { type AppSettings, useUpdateAppSettings } from "../api/settings";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { Field, Input } from "../ui/field";
import { IconButton } from "../ui/icon-button";
import { useToast } from "../ui/toast";
import {
  catchAll,
  checkPattern,
  checkSize,
  checkTime,
  fieldOf,
  most,
  newRule,
  type RuleTexts,
  toRules,
  toRuleTexts,
} from "./channel-rules";
import { FormProblem } from "./problem";
import { useUnsaved } from "./unsaved";

type Rows = { rows: RuleTexts[] };

const toRows = ({ channelRules }: AppSettings): Rows => ({ rows: toRuleTexts(channelRules) });

/** One line on a screen. On a phone three: the number with the buttons, the pattern, the log. */
const columns = "grid grid-cols-2 gap-x-2 gap-y-1.5 sm:grid-cols-[1rem_minmax(0,1fr)_7.5rem_8.5rem_auto]";

export function ChannelRulesForm({ settings }: { settings: AppSettings }) {
  const form = useForm<Rows>({ defaultValues: toRows(settings) });
  const rows = useFieldArray({ control: form.control, name: "rows" });
  const { isDirty } = form.formState;
  const [problem, setProblem] = useState<Problem>();
  const [moved, setMoved] = useState("");
  const update = useUpdateAppSettings(settings.appId);
  const toast = useToast();
  const notAllowed = useReasonAgainst(Permission.APPS_WRITE);
  const add = useRef<HTMLButtonElement>(null);
  const formId = useId();
  const focusNext = useRef<string>(undefined);
  useUnsaved("Channel rules", isDirty);
  useEffect(() => {
    if (!isDirty) form.reset(toRows(settings));
  }, [form, isDirty, settings]);
  // A row that is moved in the page loses the focus.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the rows that were drawn anew
  useEffect(() => {
    if (focusNext.current) document.getElementById(focusNext.current)?.focus();
    focusNext.current = undefined;
  }, [rows.fields]);

  const submit = form.handleSubmit(async (values) => {
    setProblem(undefined);
    try {
      const change = { list: toRules(values.rows) };
      const answer = await update.mutateAsync({ appId: settings.appId, channelRules: change });
      if (answer.settings) form.reset(toRows(answer.settings));
      toast({ tone: "ok", title: "Channel rules saved" });
    } catch (error) {
      setProblem(place(error, form));
    }
  });

  function move(from: number, by: -1 | 1) {
    const to = from + by;
    if (to < 0 || to >= rows.fields.length) return;
    focusNext.current = `${formId}-${to}-${by}`;
    setMoved(`${form.getValues(`rows.${from}.pattern`) || "The rule"} is rule ${to + 1} now.`);
    form.clearErrors();
    rows.move(from, to);
  }

  function remove(index: number) {
    rows.remove(index);
    // The button that had the focus is gone.
    add.current?.focus();
  }

  const full = rows.fields.length >= most.rules ? `A list has at most ${most.rules} rules.` : undefined;
  const last = catchAll(form.watch("rows"));
  return (
    <Card
      title="Channel rules"
      description={
        <>
          Give channels a log, from which a server that was cut off for a moment catches up, so that its
          clients miss nothing. A star stands for any run of characters, as in{" "}
          <code className="text-12">orders-*</code>. The first rule that fits a channel counts.
        </>
      }
      footer={
        <>
          <span className="text-muted">At most {most.rules} rules</span>
          <Button
            type="submit"
            form={formId}
            size="sm"
            variant="primary"
            busy={update.isPending}
            reason={notAllowed ?? (isDirty ? undefined : "Nothing has changed.")}
          >
            Save rules
          </Button>
        </>
      }
    >
      <FormProblem problem={problem} />
      <form id={formId} noValidate onSubmit={submit} className="flex flex-col gap-3">
        {rows.fields.length === 0 ? (
          <NoRules />
        ) : (
          <div className="flex flex-col gap-2">
            <Headings actions={notAllowed === undefined} />
            <ol aria-label="Channel rules" className="flex flex-col gap-4 sm:gap-2">
              {rows.fields.map((row, index) => (
                <li key={row.id} className={columns}>
                  <span className="flex h-9 items-center text-13 text-muted tabular-nums max-sm:order-1">
                    <span className="sm:sr-only">Rule&nbsp;</span>
                    {index + 1}
                  </span>
                  <RuleFields form={form} index={index} readOnly={notAllowed !== undefined} />
                  {notAllowed === undefined && (
                    <RuleButtons
                      id={`${formId}-${index}`}
                      index={index}
                      of={rows.fields.length}
                      onMove={(by) => move(index, by)}
                      onRemove={() => remove(index)}
                    />
                  )}
                  {index > last && (
                    <p className="order-last col-span-full text-13 text-muted sm:col-start-2">
                      Never counts: rule {last + 1} stands for every channel.
                    </p>
                  )}
                </li>
              ))}
            </ol>
          </div>
        )}
        <div>
          <Button
            ref={add}
            size="sm"
            icon={<Plus aria-hidden className="size-3.5" />}
            reason={notAllowed ?? full}
            onClick={() => rows.append(newRule, { focusName: `rows.${rows.fields.length}.pattern` })}
          >
            Add rule
          </Button>
        </div>
        <p role="status" className="sr-only">
          {moved}
        </p>
      </form>
    </Card>
  );
}

/** Puts the server's messages at their fields. Returns what has none. */
function place(error: unknown, form: UseFormReturn<Rows>): Problem | undefined {
  const found = explain(error);
  let placed = 0;
  for (const [path, message] of Object.entries(found.fields)) {
    const at = fieldOf(path);
    if (!at) continue;
    const name = `rows.${at.row}.${at.field}` as const;
    form.setError(name, { type: "server", message }, { shouldFocus: placed === 0 });
    placed += 1;
  }
  return placed > 0 ? undefined : found;
}

function NoRules() {
  return (
    <div className="rounded-lg border border-line border-dashed px-4 py-5 text-13">
      <p className="font-medium">No channel has a log</p>
      <p className="mt-1 text-muted">
        Events reach whoever is connected when they are published. What is published while a server is cut off
        from the others is lost to its clients. Add a rule for the channels on which nothing may be missing.
      </p>
    </div>
  );
}

/** On a phone each field says by its unit what it is. The columns are those of the rows. */
function Headings({ actions }: { actions: boolean }) {
  return (
    <div aria-hidden className={`${columns} font-medium text-12 text-muted max-sm:hidden`}>
      <span />
      <span>Channels</span>
      <span>Messages</span>
      <span>Kept for</span>
      {actions && <span className="w-27" />}
    </div>
  );
}

function RuleFields({
  form,
  index,
  readOnly,
}: {
  form: UseFormReturn<Rows>;
  index: number;
  readOnly: boolean;
}) {
  const errors = form.formState.errors.rows?.[index];
  const plain = { readOnly, autoComplete: "off", autoCapitalize: "off", spellCheck: false } as const;
  const of = `of rule ${index + 1}`;
  return (
    <>
      <Field
        label={`Pattern ${of}`}
        hideLabel
        error={errors?.pattern?.message}
        className="max-sm:order-3 max-sm:col-span-2"
      >
        <Input
          {...form.register(`rows.${index}.pattern`, { validate: checkPattern })}
          {...plain}
          placeholder="orders-*"
          className="font-mono sm:text-13"
        />
      </Field>
      <Field label={`Messages ${of}`} hideLabel error={errors?.size?.message} className="max-sm:order-4">
        <div className="relative">
          <Input
            {...form.register(`rows.${index}.size`, { validate: checkSize })}
            {...plain}
            inputMode="numeric"
            className="tabular-nums max-sm:pr-18"
          />
          <span className="pointer-events-none absolute inset-y-0 right-3 flex items-center text-12 text-muted sm:hidden">
            messages
          </span>
        </div>
      </Field>
      <Field label={`Time ${of}`} hideLabel error={errors?.ttl?.message} className="max-sm:order-4">
        <Input
          {...form.register(`rows.${index}.ttl`, { validate: checkTime })}
          {...plain}
          placeholder="1 h"
          className="tabular-nums"
        />
      </Field>
    </>
  );
}

function RuleButtons({
  id,
  index,
  of,
  onMove,
  onRemove,
}: {
  id: string;
  index: number;
  of: number;
  onMove: (by: -1 | 1) => void;
  onRemove: () => void;
}) {
  const arrow = (by: -1 | 1) => {
    const Icon = by < 0 ? ArrowUp : ArrowDown;
    const atTheEnd = by < 0 ? index === 0 : index === of - 1;
    return (
      <IconButton
        id={`${id}-${by}`}
        label={`Move rule ${index + 1} ${by < 0 ? "up" : "down"}`}
        icon={<Icon aria-hidden className="size-4" />}
        // Not disabled, which would take the focus from whoever moves a rule as far as it goes.
        aria-disabled={atTheEnd || undefined}
        className="aria-disabled:cursor-not-allowed aria-disabled:opacity-40"
        onClick={() => onMove(by)}
      />
    );
  };
  return (
    <div className="flex justify-end max-sm:order-2">
      {arrow(-1)}
      {arrow(1)}
      <IconButton
        label={`Remove rule ${index + 1}`}
        icon={<X aria-hidden className="size-4" />}
        onClick={onRemove}
      />
    </div>
  );
}
