import { type Key, useRevokeKey } from "../api/keys";
import { AlertDialog } from "../ui/alert-dialog";
import { useToast } from "../ui/toast";
import { useProblemToast } from "./use-problem-toast";

/** Asks before revoking, and says what will happen. */
export function RevokeKey({
  appId,
  target,
  last,
  onClose,
}: {
  appId: string;
  target: Key | undefined;
  /** Whether it is the only key that works. */
  last: boolean;
  onClose: () => void;
}) {
  const revoke = useRevokeKey(appId);
  const toast = useToast();
  const tellProblem = useProblemToast();

  function run() {
    if (!target) return;
    revoke.mutate(
      { appId, key: target.key },
      {
        onSuccess: () => toast({ tone: "ok", title: "Key revoked", detail: target.key }),
        onError: (error) => tellProblem("The key was not revoked", error),
        onSettled: onClose,
      },
    );
  }

  return (
    <AlertDialog
      open={target !== undefined}
      onOpenChange={(open) => open || onClose()}
      title="Revoke this key?"
      action="Revoke key"
      typed={target?.label || target?.key || ""}
      busy={revoke.isPending}
      onConfirm={run}
    >
      <p className="flex flex-col break-words text-ink">
        {target?.label && <bdi className="font-medium">{target.label}</bdi>}
        <code className="break-all text-13">{target?.key}</code>
      </p>
      <p>
        Within a second, every socket that was opened with it is closed and every request signed with it
        fails. This cannot be undone.
      </p>
      {last && (
        <p className="text-ink">
          It is the only key that works: until you create another, nothing can use this app.
        </p>
      )}
    </AlertDialog>
  );
}
