import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "./cx";

const tones = {
  neutral: { look: "border-line bg-panel text-ink", icon: Info, tint: "text-muted" },
  warn: { look: "border-warn-line bg-warn-soft text-ink", icon: TriangleAlert, tint: "text-warn" },
  bad: { look: "border-bad-line bg-bad-soft text-ink", icon: CircleAlert, tint: "text-bad" },
};

/** A message that belongs to the place where it stands. */
export function Callout({
  tone = "neutral",
  title,
  children,
}: {
  tone?: keyof typeof tones;
  title?: string;
  children?: ReactNode;
}) {
  const { look, icon: Icon, tint } = tones[tone];
  return (
    <div
      role={tone === "bad" ? "alert" : undefined}
      className={cx("flex gap-2.5 rounded-md border px-3 py-2.5 text-13", look)}
    >
      <Icon aria-hidden className={cx("mt-0.5 size-4 shrink-0", tint)} />
      <div className="min-w-0 flex-1 break-words">
        {title && <p className="font-medium">{title}</p>}
        {children}
      </div>
    </div>
  );
}
