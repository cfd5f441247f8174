import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";
import type { Problem } from "../api/errors";
import { usePlatform } from "../api/platform";
import { useRequestPasswordReset } from "../api/profile";
import { AuthFrame, textLink } from "../components/auth-frame";
import { FormProblem } from "../components/problem";
import { checkEmail } from "../components/rules";
import { placeErrors } from "../components/server-errors";
import { Button } from "../ui/button";
import { Callout } from "../ui/callout";
import { Field, Input } from "../ui/field";

export function ForgotPasswordPage() {
  const form = useForm({ defaultValues: { email: "" } });
  const [problem, setProblem] = useState<Problem>();
  const [sentTo, setSentTo] = useState<string>();
  const { sendsMail } = usePlatform();
  const request = useRequestPasswordReset();

  const submit = form.handleSubmit(async ({ email }) => {
    setProblem(undefined);
    try {
      await request.mutateAsync({ email: email.trim() });
      setSentTo(email.trim());
    } catch (error) {
      setProblem(placeErrors(error, form, ["email"]));
    }
  });

  return (
    <AuthFrame
      title="Forgot your password?"
      other={
        <Link to="/login" className={textLink}>
          Back to login
        </Link>
      }
    >
      {sentTo ? (
        <div role="status">
          <Callout title="Look at your mail">
            <p className="text-muted">
              If there is an account with the address {sentTo}, a link is on its way there. It works once, and
              for an hour.
            </p>
          </Callout>
        </div>
      ) : (
        <form noValidate onSubmit={submit} className="flex flex-col gap-5">
          <FormProblem problem={problem} />
          {sendsMail === false && (
            <Callout tone="warn" title="This platform sends no mail">
              <p className="text-muted">Ask whoever operates it for another password.</p>
            </Callout>
          )}
          <Field
            label="Email"
            hint="A link to set another password is sent there."
            error={form.formState.errors.email?.message}
          >
            <Input
              {...form.register("email", { validate: checkEmail })}
              type="email"
              autoComplete="username"
              autoFocus
            />
          </Field>
          <Button
            type="submit"
            variant="primary"
            busy={request.isPending}
            reason={sendsMail === false ? "This platform sends no mail." : undefined}
          >
            Send the link
          </Button>
        </form>
      )}
    </AuthFrame>
  );
}
