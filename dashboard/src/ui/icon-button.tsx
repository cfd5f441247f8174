import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";
import { Tooltip } from "./tooltip";

export type IconButtonProps = Omit<ComponentProps<"button">, "children" | "aria-label"> & {
  label: string;
  icon: ReactNode;
  size?: "sm" | "md";
  /** Leaves the tooltip out where the label is said beside it already. */
  plain?: boolean;
};

/** An icon alone, for tight toolbars: its word is in the tooltip and in the accessible name. */
export function IconButton({ label, icon, size = "md", plain, className, ...rest }: IconButtonProps) {
  const button = (
    <button
      type="button"
      aria-label={label}
      {...rest}
      className={cx(
        "inline-flex shrink-0 items-center justify-center rounded-md text-muted transition-colors duration-100",
        "hover:bg-hover hover:text-ink aria-pressed:bg-active aria-pressed:text-ink data-[state=open]:bg-hover",
        size === "md" ? "size-9" : "size-7",
        className,
      )}
    >
      {icon}
    </button>
  );
  return plain ? button : <Tooltip content={label}>{button}</Tooltip>;
}
