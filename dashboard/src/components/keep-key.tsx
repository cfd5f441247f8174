import { type Key, useKeepKey } from "../api/keys";
import { Permission, useReasonAgainst } from "../api/permission";
import { Button } from "../ui/button";
import { useToast } from "../ui/toast";
import { useProblemToast } from "./use-problem-toast";

/** Takes back that a key retires. It can be rotated again at any time, so nobody is asked. */
export function KeepKey({ appId, target }: { appId: string; target: Key }) {
  const keep = useKeepKey(appId);
  const toast = useToast();
  const tellProblem = useProblemToast();
  const reason = useReasonAgainst(Permission.KEYS_WRITE);
  return (
    <Button
      size="sm"
      variant="ghost"
      reason={reason}
      busy={keep.isPending}
      aria-label={`Keep key ${target.key}`}
      onClick={() =>
        keep.mutate(
          { appId, key: target.key },
          {
            onSuccess: () =>
              toast({ tone: "ok", title: "Key kept", detail: `${target.key} no longer retires` }),
            onError: (error) => tellProblem("The key still retires", error),
          },
        )
      }
    >
      Keep
    </Button>
  );
}
