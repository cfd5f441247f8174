import { useState } from "react";
import { useForm } from "react-hook-form";
import { useAccount } from "../api/auth";
import type { Problem } from "../api/errors";
import { useChangeEmail, useChangePassword } from "../api/profile";
import { AccountPage } from "../components/account-nav";
import { FormProblem } from "../components/problem";
import { checkEmail, checkNewPassword } from "../components/rules";
import { placeErrors } from "../components/server-errors";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Callout } from "../ui/callout";
import { Card } from "../ui/card";
import { Field, Input } from "../ui/field";
import { PasswordInput } from "../ui/password-input";
import { useToast } from "../ui/toast";

export function ProfilePage() {
  return (
    <AccountPage title="Profile" description="You, in every tenant that you belong to." narrow>
      <div className="flex flex-col gap-6">
        <EmailForm />
        <PasswordForm />
      </div>
    </AccountPage>
  );
}

const needed = (text: string) => text !== "" || "Enter your password.";

function EmailForm() {
  const account = useAccount();
  const form = useForm({ defaultValues: { email: "", password: "" } });
  const [problem, setProblem] = useState<Problem>();
  const [waiting, setWaiting] = useState<string>();
  const change = useChangeEmail();
  const toast = useToast();
  const { errors } = form.formState;

  const submit = form.handleSubmit(async ({ email, password }) => {
    setProblem(undefined);
    try {
      const { confirmByMail } = await change.mutateAsync({ email: email.trim(), password });
      form.reset();
      if (confirmByMail) setWaiting(email.trim());
      else toast({ tone: "ok", title: "Address changed", detail: email.trim() });
    } catch (error) {
      setProblem(placeErrors(error, form, ["email", "password"]));
    }
  });

  return (
    <form noValidate onSubmit={submit}>
      <Card
        title="Email address"
        description={
          <span className="flex flex-wrap items-center gap-2">
            <span className="min-w-0 break-all text-ink">{account.email}</span>
            {account.emailVerified ? (
              <Badge tone="ok">Verified</Badge>
            ) : (
              <Badge tone="warn">Not verified</Badge>
            )}
          </span>
        }
        footer={
          <>
            <span className="text-muted">You log in with it.</span>
            <Button type="submit" size="sm" variant="primary" busy={change.isPending}>
              Change address
            </Button>
          </>
        }
      >
        <FormProblem problem={problem} />
        {waiting && (
          <div role="status">
            <Callout title="Look at your mail">
              <p className="text-muted">
                Follow the link in the mail to {waiting}. Until then you log in with the address that you
                have.
              </p>
            </Callout>
          </div>
        )}
        <Field label="New address" error={errors.email?.message}>
          <Input {...form.register("email", { validate: checkEmail })} type="email" autoComplete="email" />
        </Field>
        <Field label="Your password" error={errors.password?.message}>
          <PasswordInput
            {...form.register("password", { validate: needed })}
            autoComplete="current-password"
          />
        </Field>
      </Card>
    </form>
  );
}

function PasswordForm() {
  const form = useForm({ defaultValues: { currentPassword: "", newPassword: "" } });
  const [problem, setProblem] = useState<Problem>();
  const change = useChangePassword();
  const toast = useToast();
  const { email } = useAccount();
  const { errors } = form.formState;

  const submit = form.handleSubmit(async (values) => {
    setProblem(undefined);
    try {
      await change.mutateAsync(values);
      form.reset();
      toast({ tone: "ok", title: "Password changed", detail: "All other sessions have ended." });
    } catch (error) {
      setProblem(placeErrors(error, form, ["currentPassword", "newPassword"]));
    }
  });

  return (
    <form noValidate onSubmit={submit}>
      <Card
        title="Password"
        footer={
          <>
            <span className="text-muted">All other sessions end.</span>
            <Button type="submit" size="sm" variant="primary" busy={change.isPending}>
              Change password
            </Button>
          </>
        }
      >
        <FormProblem problem={problem} />
        {/* For password managers, which want to know whose password it is. */}
        <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
        <Field label="Current password" error={errors.currentPassword?.message}>
          <PasswordInput
            {...form.register("currentPassword", { validate: needed })}
            autoComplete="current-password"
          />
        </Field>
        <Field
          label="New password"
          hint="At least 8 characters. Some words that do not belong together are hard to guess."
          error={errors.newPassword?.message}
        >
          <PasswordInput
            {...form.register("newPassword", { validate: checkNewPassword })}
            autoComplete="new-password"
          />
        </Field>
      </Card>
    </form>
  );
}
