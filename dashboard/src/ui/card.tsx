import type { ReactNode } from "react";
import { cx } from "./cx";

/** A bordered section with a heading of its own. */
export function Card({
  title,
  description,
  tone = "neutral",
  footer,
  children,
}: {
  title: string;
  description?: ReactNode;
  tone?: "neutral" | "bad";
  footer?: ReactNode;
  children?: ReactNode;
}) {
  const line = tone === "bad" ? "border-bad-line" : "border-line";
  return (
    <section className={cx("rounded-lg border", line)}>
      <div className="flex flex-col gap-4 p-5">
        <div>
          <h2 className="font-semibold text-16">{title}</h2>
          {description && <div className="mt-1 text-13 text-muted">{description}</div>}
        </div>
        {children}
      </div>
      {footer && (
        <div
          className={cx(
            "flex items-center justify-between gap-4 border-t bg-panel px-5 py-3 text-13",
            line,
            "rounded-b-lg",
          )}
        >
          {footer}
        </div>
      )}
    </section>
  );
}
