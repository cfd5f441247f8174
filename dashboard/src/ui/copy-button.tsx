import { Check, Copy } from "lucide-react";
import { IconButton } from "./icon-button";
import { type Copyable, useCopy } from "./use-copy";

/** `what` completes the sentence "Copy …". */
export function CopyButton({ what, source }: { what: string; source: Copyable }) {
  const { copy, copied } = useCopy(source);
  return (
    <>
      <IconButton
        size="sm"
        label={copied ? "Copied" : `Copy ${what}`}
        onClick={copy}
        icon={
          copied ? (
            <Check aria-hidden className="size-3.5 text-ok" />
          ) : (
            <Copy aria-hidden className="size-3.5" />
          )
        }
      />
      <span role="status" className="sr-only">
        {copied ? `Copied ${what}` : ""}
      </span>
    </>
  );
}
