import { useState } from "react";
import { useRevealKey } from "../api/keys";
import { useProblemToast } from "./use-problem-toast";

/** The secret of one key: fetched on request only, kept by the component that asked, never in the query cache. */
export function useSecret(appId: string, key: string) {
  const [known, setKnown] = useState<{ key: string; secret: string } | null>(null);
  const [shown, setShown] = useState(false);
  const reveal = useRevealKey();
  const tellProblem = useProblemToast();
  const secret = known?.key === key ? known.secret : null;

  /** Null when it could not be had; the reader has been told then. */
  async function fetch(): Promise<string | null> {
    if (secret !== null) return secret;
    try {
      const answer = await reveal.mutateAsync({ appId, key });
      setKnown({ key, secret: answer.secret });
      return answer.secret;
    } catch (error) {
      tellProblem("The secret could not be revealed", error);
      return null;
    }
  }

  return {
    /** The secret while it may be seen. */
    visible: shown ? secret : null,
    busy: reveal.isPending,
    fetch,
    show: async () => setShown((await fetch()) !== null),
    hide: () => setShown(false),
  };
}

export type Secret = ReturnType<typeof useSecret>;
export const dots = "•".repeat(16);
