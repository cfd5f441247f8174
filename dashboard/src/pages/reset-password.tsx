import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { explain, type Problem } from "../api/errors";
import { useResetPassword } from "../api/profile";
import { AuthFrame, textLink } from "../components/auth-frame";
import { useLinkToken } from "../components/link-token";
import { FormProblem } from "../components/problem";
import { checkNewPassword } from "../components/rules";
import { placeErrors } from "../components/server-errors";
import { Button } from "../ui/button";
import { Callout } from "../ui/callout";
import { Field } from "../ui/field";
import { PasswordInput } from "../ui/password-input";
import { useToast } from "../ui/toast";

export function ResetPasswordPage() {
  const token = useLinkToken();
  const form = useForm({ defaultValues: { password: "" } });
  const [problem, setProblem] = useState<Problem>();
  const [dead, setDead] = useState(token === "");
  const reset = useResetPassword();
  const navigate = useNavigate();
  const toast = useToast();

  const submit = form.handleSubmit(async ({ password }) => {
    setProblem(undefined);
    try {
      await reset.mutateAsync({ token, password });
    } catch (error) {
      if (explain(error).kind === "not-found") setDead(true);
      else setProblem(placeErrors(error, form, ["password"]));
      return;
    }
    toast({ tone: "ok", title: "Password set", detail: "All sessions have ended. Log in with it." });
    await navigate({ to: "/login", replace: true });
  });

  return (
    <AuthFrame
      title="Set another password"
      other={
        <Link to="/login" className={textLink}>
          Back to login
        </Link>
      }
    >
      {dead ? (
        <div className="flex flex-col gap-5">
          <Callout tone="bad" title="This link does not work">
            <p className="text-muted">It is older than an hour, was used already, or is not whole.</p>
          </Callout>
          <Link to="/forgot-password" className={`self-center text-13 ${textLink}`}>
            Ask for another link
          </Link>
        </div>
      ) : (
        <form noValidate onSubmit={submit} className="flex flex-col gap-5">
          <FormProblem problem={problem} />
          <Field
            label="New password"
            hint="At least 8 characters. Some words that do not belong together are hard to guess."
            error={form.formState.errors.password?.message}
          >
            <PasswordInput
              {...form.register("password", { validate: checkNewPassword })}
              autoComplete="new-password"
              autoFocus
            />
          </Field>
          <Button type="submit" variant="primary" busy={reset.isPending}>
            Set password
          </Button>
        </form>
      )}
    </AuthFrame>
  );
}
