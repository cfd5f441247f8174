import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { CopyButton } from "../ui/copy-button";
import { cx } from "../ui/cx";
import type { Received } from "./use-live-channel";

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

export function pretty(data: unknown): string {
  return typeof data === "string" ? data : (JSON.stringify(data, null, 2) ?? "");
}

/** One event of the list. The newest is open by itself, until the reader decides otherwise. */
export function ReceivedEvent({ event, open }: { event: Received; open: boolean }) {
  const [chosen, setChosen] = useState<boolean>();
  const isOpen = chosen ?? open;
  const text = pretty(event.data);
  return (
    <li className="border-line not-last:border-b">
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setChosen(!isOpen)}
        className="flex h-10 w-full items-center gap-2 px-4 text-left text-13 -outline-offset-2 hover:bg-panel"
      >
        <ChevronRight aria-hidden className={cx("size-3.5 shrink-0 text-muted", isOpen && "rotate-90")} />
        <span className="shrink-0 font-medium">{event.name}</span>
        <code className="min-w-0 flex-1 truncate text-12 text-muted">
          {isOpen ? "" : JSON.stringify(event.data)}
        </code>
        <time dateTime={event.at.toISOString()} className="shrink-0 text-12 text-muted">
          {clock.format(event.at)}
        </time>
      </button>
      {isOpen && (
        <div className="flex items-start gap-2 pr-2 pb-3 pl-[38px]">
          <pre className="min-w-0 flex-1 whitespace-pre-wrap break-words text-12">{text}</pre>
          <CopyButton what={`data of ${event.name}`} source={text} />
        </div>
      )}
    </li>
  );
}
