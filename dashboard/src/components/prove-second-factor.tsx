import { useState } from "react";
import { useForm } from "react-hook-form";
import type { Problem } from "../api/errors";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { PasswordInput } from "../ui/password-input";
import { CodeInput } from "./code-input";
import { FormProblem } from "./problem";
import { checkCode } from "./rules";
import { placeErrors } from "./server-errors";

type Proof = { password: string; code: string };

type Props = {
  title: string;
  action: string;
  danger?: boolean;
  onProof: (proof: Proof) => Promise<void>;
};

/** Asks for password and code before the second factor is changed. */
export function ProveSecondFactor({
  open,
  onClose,
  ...rest
}: Props & { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onOpenChange={(next) => next || onClose()} title={rest.title}>
      <Proof {...rest} onClose={onClose} />
    </Dialog>
  );
}

function Proof({ action, danger, onProof, onClose }: Props & { onClose: () => void }) {
  const form = useForm<Proof>({ defaultValues: { password: "", code: "" } });
  const [problem, setProblem] = useState<Problem>();
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async ({ password, code }) => {
    setProblem(undefined);
    try {
      await onProof({ password, code: code.trim() });
    } catch (error) {
      setProblem(placeErrors(error, form, ["password", "code"]));
    }
  });
  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4">
      <FormProblem problem={problem} />
      <Field label="Your password" error={errors.password?.message}>
        <PasswordInput
          {...form.register("password", { validate: (text) => text !== "" || "Enter your password." })}
          autoComplete="current-password"
        />
      </Field>
      <Field label="Code" hint="Of your authenticator app, or a recovery code." error={errors.code?.message}>
        <CodeInput {...form.register("code", { validate: checkCode })} />
      </Field>
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant={danger ? "danger" : "primary"} busy={isSubmitting}>
          {action}
        </Button>
      </div>
    </form>
  );
}
