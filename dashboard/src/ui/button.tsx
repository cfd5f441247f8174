import { type ComponentProps, type MouseEvent, type ReactNode, useId, useState } from "react";
import { cx } from "./cx";
import { Spinner } from "./spinner";
import { Tooltip } from "./tooltip";

type Variant = "primary" | "secondary" | "ghost" | "danger";
type Size = "sm" | "md";

const variants: Record<Variant, string> = {
  primary: "bg-accent text-white not-aria-disabled:hover:bg-accent-hover",
  secondary: "border border-line-strong bg-raised text-ink not-aria-disabled:hover:bg-hover",
  ghost: "text-muted not-aria-disabled:hover:bg-hover not-aria-disabled:hover:text-ink",
  danger: "bg-bad-fill text-white not-aria-disabled:hover:bg-bad-fill-hover",
};

const sizes: Record<Size, string> = {
  sm: "h-8 gap-1.5 px-2.5 text-13",
  md: "h-9 gap-2 px-3.5 text-14",
};

/** The look alone, for links that act as a button. */
export function buttonClass(variant: Variant = "secondary", size: Size = "md"): string {
  return cx(
    "inline-flex shrink-0 select-none items-center justify-center whitespace-nowrap rounded-md font-medium",
    "transition-colors duration-100 aria-disabled:cursor-not-allowed aria-disabled:opacity-55",
    variants[variant],
    sizes[size],
  );
}

export type ButtonProps = Omit<ComponentProps<"button">, "disabled"> & {
  variant?: Variant;
  size?: Size;
  icon?: ReactNode;
  /** Work is under way: the button keeps its width and ignores clicks. */
  busy?: boolean;
  /** Why this cannot be done. The button then stays in reach of keyboard and screen reader, so that they can read it. */
  reason?: string | undefined;
};

export function Button(props: ButtonProps) {
  const { variant, size, icon, busy, reason, className, children, onClick, ...rest } = props;
  const reasonId = useId();
  const [told, setTold] = useState(false);
  const off = busy || reason !== undefined;

  function click(event: MouseEvent<HTMLButtonElement>) {
    if (off) {
      // preventDefault also stops a form from being sent by Enter.
      event.preventDefault();
      setTold(true);
      return;
    }
    onClick?.(event);
  }

  const button = (
    <button
      type="button"
      {...rest}
      onClick={click}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      aria-describedby={reason ? reasonId : rest["aria-describedby"]}
      className={cx(buttonClass(variant, size), className)}
    >
      {busy ? <Spinner /> : icon}
      {children}
      {reason && (
        <span id={reasonId} hidden>
          {reason}
        </span>
      )}
    </button>
  );
  // A button that may get a reason is wrapped before it has one: put in and taken out, the wrapper would make another
  // element of it, and the focus would be lost by whoever pressed it with the keyboard.
  if (!("reason" in props)) return button;
  // Open on a press too: there is no hovering on a phone.
  return (
    <Tooltip content={reason} open={told && reason !== undefined} onOpenChange={setTold}>
      {button}
    </Tooltip>
  );
}
