import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { explain, type Problem } from "../api/errors";
import { useAcceptInvitation, useInvitation } from "../api/invitation";
import { AuthFrame, textLink } from "../components/auth-frame";
import { CodeInput } from "../components/code-input";
import { useLinkToken } from "../components/link-token";
import { FormProblem, LoadProblem } from "../components/problem";
import { checkCode, checkNewPassword } from "../components/rules";
import { placeErrors } from "../components/server-errors";
import { Button } from "../ui/button";
import { Callout } from "../ui/callout";
import { Field, Input } from "../ui/field";
import { PasswordInput } from "../ui/password-input";
import { Skeleton } from "../ui/skeleton";

type Invited = NonNullable<ReturnType<typeof useInvitation>["invitation"]>;

export function InvitationPage() {
  const token = useLinkToken();
  const { invitation, error, refetch, isFetching } = useInvitation(token);
  const dead = token === "" || (error && explain(error).kind === "not-found");

  return (
    <AuthFrame
      title={invitation ? `Join ${invitation.tenantName}` : "Invitation"}
      other={
        <Link to="/apps" className={textLink}>
          Go to the dashboard
        </Link>
      }
    >
      {dead && (
        <Callout tone="bad" title="This invitation does not work">
          <p className="text-muted">
            It is over, was taken back, or has been accepted already. Ask whoever sent it for another.
          </p>
        </Callout>
      )}
      {!dead && error && (
        <LoadProblem what="the invitation" error={error} onRetry={() => void refetch()} busy={isFetching} />
      )}
      {!dead && !error && !invitation && (
        <div role="status" aria-label="Loading the invitation" className="flex flex-col gap-4">
          <Skeleton className="w-full" />
          <Skeleton className="w-2/3" />
          <Skeleton className="h-9 w-full" />
        </div>
      )}
      {invitation && <Accept token={token} invitation={invitation} />}
    </AuthFrame>
  );
}

function Accept({ token, invitation }: { token: string; invitation: Invited }) {
  const form = useForm({ defaultValues: { password: "", code: "" } });
  const [problem, setProblem] = useState<Problem>();
  const accept = useAcceptInvitation();
  const navigate = useNavigate();
  const { hasAccount, secondFactor, signedIn } = invitation;
  const { errors } = form.formState;

  const submit = form.handleSubmit(async ({ password, code }) => {
    setProblem(undefined);
    try {
      await accept.mutateAsync({ token, password, code: code.trim() });
      await navigate({ to: "/apps", replace: true });
    } catch (error) {
      setProblem(placeErrors(error, form, ["password", "code"]));
    }
  });

  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-5">
      <p className="text-14 text-muted">
        {invitation.invitedBy || "Somebody"} invites you to work in{" "}
        <bdi className="font-medium text-ink">{invitation.tenantName}</bdi>, as {invitation.role}.
      </p>
      <FormProblem problem={problem} />
      <Field label="Email">
        <Input value={invitation.email} readOnly type="email" autoComplete="username" />
      </Field>
      {!signedIn && (
        <Field
          label={hasAccount ? "Password of your account" : "Password"}
          hint={
            hasAccount
              ? "You have an account with this address."
              : "At least 8 characters. Some words that do not belong together are hard to guess."
          }
          error={errors.password?.message}
        >
          <PasswordInput
            {...form.register("password", {
              validate: (text) =>
                hasAccount ? text !== "" || "Enter your password." : checkNewPassword(text),
            })}
            autoComplete={hasAccount ? "current-password" : "new-password"}
            autoFocus
          />
        </Field>
      )}
      {!signedIn && secondFactor && (
        <Field
          label="Code"
          hint="Of your authenticator app, or a recovery code."
          error={errors.code?.message}
        >
          <CodeInput {...form.register("code", { validate: checkCode })} />
        </Field>
      )}
      <Button type="submit" variant="primary" busy={accept.isPending}>
        Accept invitation
      </Button>
    </form>
  );
}
