import { cx } from "../ui/cx";

/** A name that somebody chose: of any length, in any script. Cut with an ellipsis, kept apart from the text around it. */
export function Name({ children, className }: { children: string; className?: string }) {
  return (
    <bdi title={children} className={cx("block min-w-0 truncate text-left", className)}>
      {children}
    </bdi>
  );
}
