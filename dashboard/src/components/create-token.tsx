import { useState } from "react";
import { useForm } from "react-hook-form";
import type { Problem } from "../api/errors";
import type { Permission } from "../api/permission";
import { onlyReads, permissionName, useCreateToken } from "../api/tokens";
import { Button } from "../ui/button";
import { Callout } from "../ui/callout";
import { CheckField } from "../ui/check-field";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { Select } from "../ui/select";
import { HandedOver } from "./handed-over";
import { FormProblem } from "./problem";
import { checkName } from "./rules";
import { placeErrors } from "./server-errors";

type Kind = "read" | "write" | "chosen";

const kinds: { value: Kind; label: string }[] = [
  { value: "read", label: "Read only" },
  { value: "write", label: "Everything that your role may do" },
  { value: "chosen", label: "Chosen permissions" },
];

const lives = [
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "180", label: "180 days" },
  { value: "365", label: "A year" },
] as const;

type Values = { name: string; kind: Kind; chosen: Permission[]; days: string };

export function CreateToken({
  open,
  grantable,
  onClose,
}: {
  open: boolean;
  grantable: Permission[];
  onClose: () => void;
}) {
  return (
    <Dialog open={open} onOpenChange={(next) => next || onClose()} title="Create an API token">
      <Create grantable={grantable} onClose={onClose} />
    </Dialog>
  );
}

function Create({ grantable, onClose }: { grantable: Permission[]; onClose: () => void }) {
  const form = useForm<Values>({ defaultValues: { name: "", kind: "read", chosen: [], days: "90" } });
  const [problem, setProblem] = useState<Problem>();
  const [text, setText] = useState<string>();
  const create = useCreateToken();
  const { kind, chosen, days } = form.watch();
  const { errors } = form.formState;
  const scopes = kind === "read" ? grantable.filter(onlyReads) : kind === "write" ? grantable : chosen;

  const submit = form.handleSubmit(async ({ name }) => {
    setProblem(undefined);
    try {
      const answer = await create.mutateAsync({ name: name.trim(), scopes, expireDays: Number(days) });
      setText(answer.text);
    } catch (error) {
      setProblem(placeErrors(error, form, ["name"]));
    }
  });

  if (text !== undefined) return <Created text={text} onClose={onClose} />;
  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4">
      <FormProblem problem={problem} />
      <Field label="Name" hint="What uses it, such as the job that deploys." error={errors.name?.message}>
        <Input {...form.register("name", { validate: checkName })} autoComplete="off" dir="auto" />
      </Field>
      <Field label="May do">
        <Select
          choices={kinds}
          value={kind}
          onChange={(value) => form.setValue("kind", value)}
          className="block w-full"
        />
      </Field>
      {kind === "chosen" && (
        <fieldset className="max-h-52 overflow-y-auto rounded-md border border-line px-3 py-1.5">
          <legend className="sr-only">Permissions</legend>
          {grantable.map((permission) => (
            <CheckField
              key={permission}
              label={<code className="text-12">{permissionName(permission)}</code>}
              checked={chosen.includes(permission)}
              onChange={(on) =>
                form.setValue(
                  "chosen",
                  on ? [...chosen, permission] : chosen.filter((other) => other !== permission),
                )
              }
            />
          ))}
        </fieldset>
      )}
      <Field label="Works for">
        <Select
          choices={lives}
          value={lives.find(({ value }) => value === days)?.value ?? "90"}
          onChange={(value) => form.setValue("days", value)}
          className="block w-full"
        />
      </Field>
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          type="submit"
          variant="primary"
          busy={create.isPending}
          reason={scopes.length === 0 ? "Choose a permission first." : undefined}
        >
          Create token
        </Button>
      </div>
    </form>
  );
}

function Created({ text, onClose }: { text: string; onClose: () => void }) {
  return (
    <div className="flex flex-col gap-4">
      <Callout tone="warn" title="Copy it now">
        <p className="text-muted">It is not shown again. Whoever has it can do what it may do.</p>
      </Callout>
      <HandedOver what="API token" text={text} />
      <Button variant="primary" className="self-end" onClick={onClose}>
        Done
      </Button>
    </div>
  );
}
