import { useEffect, useRef, useState } from "react";
import { copyText } from "./clipboard";
import { useToast } from "./toast";

/** A text, or a way to get one. A way that yields null has told the reader itself why there is nothing to copy. */
export type Copyable = string | (() => string | Promise<string | null>);

/** Copies on demand and remembers for two seconds that it did. */
export function useCopy(source: Copyable) {
  const [state, setState] = useState<"idle" | "busy" | "done">("idle");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const toast = useToast();

  useEffect(() => () => clearTimeout(timer.current), []);

  async function copy() {
    if (state === "busy") return;
    setState("busy");
    let explained = false;
    const text = typeof source === "string" ? source : source();
    try {
      await copyText(
        typeof text === "string"
          ? text
          : text.then((value) => {
              if (value !== null) return value;
              explained = true;
              throw new Error("nothing to copy");
            }),
      );
      setState("done");
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setState("idle"), 2000);
    } catch {
      setState("idle");
      if (explained) return;
      toast({
        tone: "bad",
        title: "The browser refused to copy",
        detail: "Select the text and copy it by hand.",
      });
    }
  }

  return { copy, copied: state === "done" };
}
