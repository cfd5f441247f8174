import { cx } from "./cx";

/** A grey bar in the shape of what is coming. Hidden from screen readers: the region around it says "loading". */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={cx("block h-4 animate-pulse-soft rounded bg-active", className)} />;
}
