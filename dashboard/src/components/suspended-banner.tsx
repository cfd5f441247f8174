import { Ban } from "lucide-react";
import type { Account } from "../api/auth";

/** Tells the members of a suspended tenant why nothing works, and what still does. */
export function SuspendedBanner({ account }: { account: Account }) {
  if (!account.suspendedFor) return null;
  return (
    <section
      aria-label="This tenant is suspended"
      className="flex gap-2 border-bad-line border-b bg-bad-soft px-4 py-2.5 text-13 sm:px-8"
    >
      <Ban aria-hidden className="mt-0.5 size-4 shrink-0 text-bad" />
      <div className="min-w-0">
        <p className="break-words">
          <span className="font-semibold">
            <bdi>{account.tenantName}</bdi> is suspended:
          </span>{" "}
          <bdi className="whitespace-pre-line">{account.suspendedFor}</bdi>
        </p>
        <p className="text-muted">
          Its apps refuse sockets and requests. You can still look at apps, keys, members and usage, and
          change your own profile; nothing else can be changed. Ask whoever operates this platform to resume
          it.
        </p>
      </div>
    </section>
  );
}
