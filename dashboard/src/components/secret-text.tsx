import { Permission, useReasonAgainst } from "../api/permission";
import { Button } from "../ui/button";
import { CopyButton } from "../ui/copy-button";
import { dots, type Secret } from "./use-secret";

/** A secret behind dots, with the means to see and to copy it. */
export function SecretText({ secret, of }: { secret: Secret; of: string }) {
  const reason = useReasonAgainst(Permission.KEYS_REVEAL);
  return (
    <span className="flex min-w-0 items-center gap-1">
      {secret.visible === null ? (
        <>
          <span aria-hidden className="select-none truncate font-mono text-12 text-muted">
            {dots}
          </span>
          <span className="sr-only">hidden</span>
        </>
      ) : (
        <code className="min-w-0 truncate text-12">{secret.visible}</code>
      )}
      <Button
        size="sm"
        variant="ghost"
        className="h-7 px-2"
        reason={reason}
        busy={secret.busy}
        aria-label={`${secret.visible === null ? "Reveal" : "Hide"} secret of ${of}`}
        onClick={secret.visible === null ? secret.show : secret.hide}
      >
        {secret.visible === null ? "Reveal" : "Hide"}
      </Button>
      {!reason && <CopyButton what={`secret of ${of}`} source={secret.fetch} />}
    </span>
  );
}
