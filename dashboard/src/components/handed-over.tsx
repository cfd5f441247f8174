import { CopyButton } from "../ui/copy-button";

/** A text that is told once, to be taken away. */
export function HandedOver({ what, text }: { what: string; text: string }) {
  return (
    <div className="flex items-start gap-2 rounded-md border border-line bg-panel py-1.5 pr-1.5 pl-3">
      <code className="min-w-0 flex-1 self-center break-all text-12">{text}</code>
      <CopyButton what={what} source={text} />
    </div>
  );
}
