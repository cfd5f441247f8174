import { ChevronDown } from "lucide-react";
import type { ComponentProps } from "react";
import { cx } from "./cx";
import { useField } from "./field";

export type Choice<V extends string> = { value: V; label: string };

const selectClass = cx(
  // 16 px on a phone, as in other fields.
  "h-9 w-full min-w-0 cursor-pointer appearance-none truncate rounded-md border border-line-strong bg-page pr-8 pl-3 text-16 sm:text-14",
  "focus:border-accent-text focus:outline-2 focus:outline-accent-text/30 focus:outline-offset-0",
);

/** The browser's own list of choices: it is right on every device and for every reader. */
export function Select<V extends string>({
  choices,
  value,
  onChange,
  className,
  ...rest
}: Omit<ComponentProps<"select">, "value" | "onChange"> & {
  choices: readonly Choice<V>[];
  value: V;
  onChange: (value: V) => void;
}) {
  const wiring = useField();
  return (
    <span className={cx("relative inline-block", className)}>
      <select
        {...wiring}
        {...rest}
        value={value}
        onChange={(event) => {
          const chosen = choices.find((choice) => choice.value === event.target.value);
          if (chosen) onChange(chosen.value);
        }}
        className={selectClass}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
      <ChevronDown aria-hidden className="pointer-events-none absolute top-2.5 right-2.5 size-4 text-muted" />
    </span>
  );
}
