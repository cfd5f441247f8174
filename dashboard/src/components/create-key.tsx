import { Plus } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import type { App } from "../api/apps";
import type { Problem } from "../api/errors";
import { type KeyScope, useCreateKey } from "../api/keys";
import { Permission, useReasonAgainst } from "../api/permission";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { SwitchField } from "../ui/switch";
import { useToast } from "../ui/toast";
import { chosenScopes, scopeChoices } from "./key-scopes";
import { FormProblem } from "./problem";
import { checkLabel } from "./rules";
import { placeErrors } from "./server-errors";

const most = 20;

/** A button, and what a new key is to be called and to be for. */
export function CreateKey({ app, working }: { app: App; working: number }) {
  const [open, setOpen] = useState(false);
  const notAllowed = useReasonAgainst(Permission.KEYS_WRITE);
  const full = working >= most ? `An app has at most ${most} keys that work. Revoke one first.` : undefined;
  return (
    <>
      <Button
        variant="primary"
        icon={<Plus aria-hidden className="size-4" />}
        reason={notAllowed ?? full}
        onClick={() => setOpen(true)}
      >
        Create key
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title="Create a key">
        <CreateKeyForm appId={app.id} onDone={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

function CreateKeyForm({ appId, onDone }: { appId: string; onDone: () => void }) {
  const form = useForm({ defaultValues: { label: "" } });
  const [chosen, setChosen] = useState<ReadonlySet<KeyScope>>(
    () => new Set(scopeChoices.map(({ scope }) => scope)),
  );
  const [problem, setProblem] = useState<Problem>();
  const create = useCreateKey(appId);
  const toast = useToast();

  function turn(scope: KeyScope, on: boolean) {
    const next = new Set(chosen);
    if (on) next.add(scope);
    else next.delete(scope);
    setChosen(next);
  }

  const submit = form.handleSubmit(async ({ label }) => {
    setProblem(undefined);
    try {
      const { key } = await create.mutateAsync({ appId, label: label.trim(), scopes: chosenScopes(chosen) });
      toast({ tone: "ok", title: "Key created", detail: key?.key });
      onDone();
    } catch (error) {
      setProblem(placeErrors(error, form, ["label"]));
    }
  });

  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4">
      <FormProblem problem={problem} />
      <Field
        label="Label"
        hint="For you to tell your keys apart. It may be empty."
        error={form.formState.errors.label?.message}
      >
        <Input
          {...form.register("label", { validate: checkLabel })}
          autoComplete="off"
          dir="auto"
          className="text-left"
          placeholder="Web server, billing"
        />
      </Field>
      <fieldset>
        <legend className="font-medium text-13">What it is for</legend>
        <p className="mt-0.5 text-13 text-muted">
          {chosen.size === scopeChoices.length
            ? "Everything, also what comes later. What a key is for cannot be changed."
            : "Whatever else is asked with it is refused. What a key is for cannot be changed."}
        </p>
        <div className="mt-1 divide-y divide-line">
          {scopeChoices.map(({ scope, name, hint }) => (
            <SwitchField
              key={scope}
              label={name}
              hint={hint}
              checked={chosen.has(scope)}
              onChange={(on) => turn(scope, on)}
            />
          ))}
        </div>
      </fieldset>
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button
          type="submit"
          variant="primary"
          busy={create.isPending}
          reason={chosen.size === 0 ? "Choose at least one thing that it is for." : undefined}
        >
          Create key
        </Button>
      </div>
    </form>
  );
}
