import { type ReactNode, useId, useState } from "react";
import { cx } from "./cx";
import { Tooltip } from "./tooltip";

/** One thing that is on or off, with what it does. A press anywhere on the row turns it. */
export function SwitchField({
  label,
  hint,
  checked,
  onChange,
  reason,
}: {
  label: ReactNode;
  hint?: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
  /** Why it cannot be turned. It then stays in reach of keyboard and screen reader, so that they can read it. */
  reason?: string | undefined;
}) {
  const id = useId();
  const hintId = `${id}-hint`;
  const reasonId = `${id}-reason`;
  const [told, setTold] = useState(false);
  const off = reason !== undefined;

  const button = (
    <button
      type="button"
      role="switch"
      id={id}
      aria-checked={checked}
      aria-disabled={off || undefined}
      aria-describedby={cx(hint !== undefined && hintId, off && reasonId) || undefined}
      onClick={() => (off ? setTold(true) : onChange(!checked))}
      className={cx(
        "mt-0.5 flex h-5 w-9 shrink-0 items-center rounded-full border px-0.5 transition-colors duration-100",
        checked ? "border-accent bg-accent" : "border-faint bg-page",
        off && "cursor-not-allowed opacity-55",
      )}
    >
      <span
        aria-hidden
        className={cx(
          "size-3.5 rounded-full transition-transform duration-100",
          checked ? "translate-x-4 bg-white" : "bg-faint",
        )}
      />
    </button>
  );
  return (
    <div className="flex items-start justify-between gap-6 py-3">
      <div className="min-w-0 text-13">
        <label htmlFor={id} className={cx("block font-medium", !off && "cursor-pointer")}>
          {label}
        </label>
        {hint !== undefined && (
          <div id={hintId} className="mt-0.5 text-muted">
            {hint}
          </div>
        )}
        {off && (
          <span id={reasonId} hidden>
            {reason}
          </span>
        )}
      </div>
      {off ? (
        <Tooltip content={reason} side="left" open={told} onOpenChange={setTold}>
          {button}
        </Tooltip>
      ) : (
        button
      )}
    </div>
  );
}
