import type { Tone } from "./badge";
import { cx } from "./cx";

const tones: Record<Tone, string> = {
  neutral: "bg-faint",
  ok: "bg-ok",
  warn: "bg-warn",
  bad: "bg-bad",
  accent: "bg-accent-text",
};

/** Colour beside a word that says the same; never alone. */
export function StatusDot({ tone, pulse }: { tone: Tone; pulse?: boolean }) {
  return (
    <span
      aria-hidden
      className={cx("inline-block size-2 shrink-0 rounded-full", tones[tone], pulse && "animate-pulse-soft")}
    />
  );
}
