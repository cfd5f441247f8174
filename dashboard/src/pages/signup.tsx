import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useSignUp } from "../api/auth";
import type { Problem } from "../api/errors";
import { AuthFrame, textLink } from "../components/auth-frame";
import { FormProblem } from "../components/problem";
import { checkEmail, checkName, checkNewPassword } from "../components/rules";
import { placeErrors } from "../components/server-errors";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { PasswordInput } from "../ui/password-input";

export function SignupPage() {
  const navigate = useNavigate();
  const form = useForm({ defaultValues: { email: "", password: "", tenantName: "" } });
  const [problem, setProblem] = useState<Problem>();
  const signUp = useSignUp();

  const submit = form.handleSubmit(async ({ email, password, tenantName }) => {
    setProblem(undefined);
    try {
      await signUp.mutateAsync({ email: email.trim(), password, tenantName: tenantName.trim() });
      await navigate({ to: "/apps", replace: true });
    } catch (error) {
      setProblem(placeErrors(error, form, ["email", "password", "tenantName"]));
    }
  });

  const { errors } = form.formState;
  return (
    <AuthFrame
      title="Sign up"
      other={
        <>
          Have an account already?{" "}
          <Link to="/login" className={textLink}>
            Log in
          </Link>
        </>
      }
    >
      <form noValidate onSubmit={submit} className="flex flex-col gap-5">
        <FormProblem problem={problem} />
        <Field label="Email" error={errors.email?.message}>
          <Input
            {...form.register("email", { validate: checkEmail })}
            type="email"
            autoComplete="username"
            autoFocus
          />
        </Field>
        <Field
          label="Password"
          hint="At least 8 characters. Some words that do not belong together are hard to guess."
          error={errors.password?.message}
        >
          <PasswordInput
            {...form.register("password", { validate: checkNewPassword })}
            autoComplete="new-password"
          />
        </Field>
        <Field label="Team or company name" hint="Your apps belong to it." error={errors.tenantName?.message}>
          <Input
            {...form.register("tenantName", { validate: checkName })}
            autoComplete="organization"
            dir="auto"
            className="text-left"
          />
        </Field>
        <Button type="submit" variant="primary" busy={signUp.isPending}>
          Sign up
        </Button>
      </form>
    </AuthFrame>
  );
}
