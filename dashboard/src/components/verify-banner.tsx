import { MailWarning } from "lucide-react";
import type { Account } from "../api/auth";
import { usePlatform } from "../api/platform";
import { useSendVerification } from "../api/profile";
import { Button } from "../ui/button";
import { useToast } from "../ui/toast";
import { useProblemToast } from "./use-problem-toast";

/** Everything works without a verified address, but inviting others and API tokens. Where no mail is sent nobody can verify one. */
export function VerifyBanner({ account }: { account: Account }) {
  const { sendsMail } = usePlatform();
  const send = useSendVerification();
  const toast = useToast();
  const tellProblem = useProblemToast();
  if (account.emailVerified || !sendsMail) return null;

  function again() {
    send.mutate(
      {},
      {
        onSuccess: () => toast({ tone: "ok", title: "Mail sent", detail: account.email }),
        onError: (error) => tellProblem("The mail was not sent", error),
      },
    );
  }

  return (
    <section
      aria-label="Your address is not verified"
      className="flex flex-wrap items-center gap-x-4 gap-y-1 border-warn-line border-b bg-warn-soft px-4 py-1.5 text-13 sm:px-8"
    >
      <p className="flex min-w-0 flex-1 basis-64 items-center gap-2">
        <MailWarning aria-hidden className="size-4 shrink-0 text-warn" />
        <span className="min-w-0 break-words">
          Verify your address with the link in the mail to {account.email}. You need it to invite others and
          for API tokens.
        </span>
      </p>
      <Button size="sm" busy={send.isPending} onClick={again}>
        Send again
      </Button>
    </section>
  );
}
