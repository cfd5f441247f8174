import { CircleAlert } from "lucide-react";
import { type ComponentProps, createContext, type ReactNode, useContext, useId } from "react";
import { cx } from "./cx";

type FieldWiring = { id: string; describedBy: string | undefined; invalid: boolean };
const FieldContext = createContext<FieldWiring | null>(null);

/** Label, control, hint and error, tied together for screen readers. The control inside picks the ties up by itself. */
export function Field({
  label,
  hint,
  error,
  children,
  className,
  hideLabel,
}: {
  label: ReactNode;
  /** For a list whose heading says what its fields are: the label is there for screen readers only. */
  hideLabel?: boolean;
  hint?: ReactNode;
  error?: string | undefined;
  children: ReactNode;
  className?: string;
}) {
  const id = useId();
  const hintId = `${id}-hint`;
  const errorId = `${id}-error`;
  const describedBy = error ? errorId : hint ? hintId : undefined;
  return (
    <div className={cx("flex flex-col gap-1.5", className)}>
      <label htmlFor={id} className={hideLabel ? "sr-only" : "font-medium text-13"}>
        {label}
      </label>
      <FieldContext value={{ id, describedBy, invalid: error !== undefined }}>{children}</FieldContext>
      {error && (
        <p id={errorId} role="alert" className="flex gap-1.5 text-13 text-bad">
          <CircleAlert aria-hidden className="mt-[3px] size-3.5 shrink-0" />
          <span className="min-w-0 break-words">{error}</span>
        </p>
      )}
      {/* One thing at a time: a message about the field takes the place of the advice. */}
      {hint && !error && (
        <p id={hintId} className="text-13 text-muted">
          {hint}
        </p>
      )}
    </div>
  );
}

export function useField() {
  const wiring = useContext(FieldContext);
  return wiring
    ? { id: wiring.id, "aria-describedby": wiring.describedBy, "aria-invalid": wiring.invalid || undefined }
    : {};
}

export const inputClass = cx(
  // 16 px on a phone, or iOS zooms into the page on focus.
  "h-9 w-full min-w-0 rounded-md border border-line-strong bg-page px-3 text-16 sm:text-14",
  "placeholder:text-faint read-only:bg-panel read-only:text-muted",
  "focus:border-accent-text focus:outline-2 focus:outline-accent-text/30 focus:outline-offset-0",
  "aria-invalid:border-bad aria-invalid:focus:outline-bad/25",
);

export function Input({ className, ...rest }: ComponentProps<"input">) {
  const wiring = useField();
  return <input {...wiring} {...rest} className={cx(inputClass, className)} />;
}

export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  const wiring = useField();
  return <textarea rows={3} {...wiring} {...rest} className={cx(inputClass, "h-auto py-2", className)} />;
}
