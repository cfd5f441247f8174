import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useLogIn } from "../api/auth";
import { explain, type Problem } from "../api/errors";
import { AuthFrame, textLink } from "../components/auth-frame";
import { localPath } from "../components/local-path";
import { FormProblem } from "../components/problem";
import { SecondStep } from "../components/second-step";
import { placeErrors } from "../components/server-errors";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { PasswordInput } from "../ui/password-input";

export function LoginPage() {
  const { next } = useSearch({ from: "/login" });
  const navigate = useNavigate();
  const form = useForm({ defaultValues: { email: "", password: "" } });
  const [problem, setProblem] = useState<Problem>();
  const [second, setSecond] = useState(false);
  const logIn = useLogIn();
  const goOn = () => void navigate({ href: localPath(next) ?? "/apps", replace: true });

  const submit = form.handleSubmit(async ({ email, password }) => {
    setProblem(undefined);
    try {
      const { secondFactorRequired } = await logIn.mutateAsync({ email: email.trim(), password });
      if (secondFactorRequired) setSecond(true);
      else goOn();
    } catch (error) {
      // The server does not say which of the two was wrong, and neither do we.
      if (explain(error).kind === "signed-out") {
        form.setError("password", { message: "Email or password is wrong." }, { shouldFocus: true });
      } else {
        setProblem(placeErrors(error, form, ["email", "password"]));
      }
    }
  });

  if (second) {
    return (
      <AuthFrame title="Two-factor login" other={null}>
        <SecondStep onDone={goOn} onStartOver={() => setSecond(false)} />
      </AuthFrame>
    );
  }
  const { errors } = form.formState;
  return (
    <AuthFrame
      title="Log in"
      other={
        <>
          New here?{" "}
          <Link to="/signup" className={textLink}>
            Sign up
          </Link>
        </>
      }
    >
      <form noValidate onSubmit={submit} className="flex flex-col gap-5">
        <FormProblem problem={problem} />
        <Field label="Email" error={errors.email?.message}>
          <Input
            {...form.register("email", { required: "Enter your email address." })}
            type="email"
            autoComplete="username"
            autoFocus
          />
        </Field>
        <Field label="Password" error={errors.password?.message}>
          <PasswordInput
            {...form.register("password", { required: "Enter your password." })}
            autoComplete="current-password"
          />
        </Field>
        <Button type="submit" variant="primary" busy={logIn.isPending}>
          Log in
        </Button>
        <Link to="/forgot-password" className={`self-center text-13 ${textLink}`}>
          Forgot your password?
        </Link>
      </form>
    </AuthFrame>
  );
}
