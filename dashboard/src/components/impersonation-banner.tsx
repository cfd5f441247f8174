import { useNavigate } from "@tanstack/react-router";
import { Eye } from "lucide-react";
import type { Account } from "../api/auth";
import { useStopImpersonating } from "../api/impersonation";
import { Button } from "../ui/button";
import { useProblemToast } from "./use-problem-toast";

/** An operator must never forget whose account this is. */
export function ImpersonationBanner({ account }: { account: Account }) {
  const stop = useStopImpersonating();
  const navigate = useNavigate();
  const tellProblem = useProblemToast();

  function back() {
    stop.mutate(
      {},
      {
        onSuccess: () => void navigate({ to: "/apps" }),
        onError: (error) => tellProblem("You are still looking at this account", error),
      },
    );
  }

  return (
    <section
      aria-label="You are looking at another account"
      className="flex flex-wrap items-center gap-x-4 gap-y-1 border-warn-line border-b bg-warn-soft px-4 py-1.5 text-13 sm:px-8"
    >
      <p className="flex min-w-0 flex-1 basis-64 items-center gap-2">
        <Eye aria-hidden className="size-4 shrink-0 text-warn" />
        <span className="min-w-0 break-words">
          You are looking at {account.tenantName} as an operator. Nothing can be changed, and its members see
          in the audit log that you were here.
        </span>
      </p>
      <Button size="sm" busy={stop.isPending} onClick={back}>
        Stop looking
      </Button>
    </section>
  );
}
