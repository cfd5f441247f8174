import { Link } from "@tanstack/react-router";
import { explain } from "../api/errors";
import { useVerifyEmail } from "../api/profile";
import { AuthFrame } from "../components/auth-frame";
import { useLinkToken } from "../components/link-token";
import { FormProblem } from "../components/problem";
import { Button, buttonClass } from "../ui/button";
import { Callout } from "../ui/callout";

/** A press and not the visit alone: programs that look through mails follow links, and would use this one up. */
export function VerifyEmailPage() {
  const token = useLinkToken();
  const verify = useVerifyEmail();
  const failure = verify.error ? explain(verify.error) : undefined;
  const dead = token === "" || failure?.kind === "not-found";
  const taken = failure?.fields["email"];

  return (
    <AuthFrame title="Verify your email address" other={null}>
      <div className="flex flex-col gap-5">
        {verify.data ? (
          <>
            <div role="status">
              <Callout title="Verified">
                <p className="text-muted">{verify.data.email} is yours. Log in with it from now on.</p>
              </Callout>
            </div>
            <Link to="/apps" className={buttonClass("primary")}>
              Go to the dashboard
            </Link>
          </>
        ) : dead ? (
          <>
            <Callout tone="bad" title="This link does not work">
              <p className="text-muted">
                It is older than seven days, was used already, or another was sent since. Your profile sends
                it again.
              </p>
            </Callout>
            <Link to="/profile" className={buttonClass()}>
              Go to your profile
            </Link>
          </>
        ) : (
          <>
            {taken ? (
              <Callout tone="bad" title="Already taken">
                <p className="text-muted">{taken}</p>
              </Callout>
            ) : (
              <FormProblem problem={failure} />
            )}
            <p className="text-14 text-muted">
              One press, and your account knows that this address is yours.
            </p>
            <Button variant="primary" busy={verify.isPending} onClick={() => verify.mutate({ token })}>
              Verify address
            </Button>
          </>
        )}
      </div>
    </AuthFrame>
  );
}
