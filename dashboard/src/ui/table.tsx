import type { ComponentProps } from "react";
import { cx } from "./cx";

/** A real table, so that a screen reader can walk it. Rows are 40 px. */
export function Table({ label, className, children, ...rest }: ComponentProps<"table"> & { label: string }) {
  return (
    // Relative, so that what is only for screen readers scrolls along instead of widening the page.
    <div className="relative overflow-x-auto rounded-lg border border-line">
      <table {...rest} aria-label={label} className={cx("w-full border-collapse text-13", className)}>
        {children}
      </table>
    </div>
  );
}

export function Head({ children }: ComponentProps<"thead">) {
  return (
    <thead className="border-line border-b bg-panel text-left text-12 text-muted">
      <tr>{children}</tr>
    </thead>
  );
}

export function Th({ className, ...rest }: ComponentProps<"th">) {
  return <th scope="col" {...rest} className={cx("h-9 whitespace-nowrap px-4 font-medium", className)} />;
}

export function Row({ className, ...rest }: ComponentProps<"tr">) {
  return (
    <tr
      {...rest}
      className={cx(
        "h-10 border-line not-last:border-b transition-colors duration-100 hover:bg-panel",
        className,
      )}
    />
  );
}

export function Td({ className, ...rest }: ComponentProps<"td">) {
  return <td {...rest} className={cx("px-4 py-1", className)} />;
}
