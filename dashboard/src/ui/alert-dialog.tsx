import { AlertDialog as Radix } from "radix-ui";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { Button } from "./button";
import { panelClass, veilClass } from "./dialog";
import { Input } from "./field";

export type AlertDialogProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** What will happen, in full. */
  children: ReactNode;
  /** The verb on the button that does it. */
  action: string;
  /** The verb on the harmless side, where "Cancel" could be read both ways. */
  cancel?: string;
  /** When set, this must be typed before the action is possible. */
  typed?: string;
  busy: boolean;
  onConfirm: () => void;
};

/** Asks before something that cannot be undone. Focus starts on the harmless side. */
export function AlertDialog(props: AlertDialogProps) {
  return (
    <Radix.Root open={props.open} onOpenChange={props.onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={veilClass} />
        <Radix.Content className={panelClass}>
          {/* Inside the content, so that what was typed is forgotten when the dialog closes. */}
          <Question {...props} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Question({ title, children, action, cancel, typed, busy, onConfirm }: AlertDialogProps) {
  const [text, setText] = useState("");
  const inputId = useId();
  const ready = typed === undefined || text.trim() === typed.trim();

  function submit(event: FormEvent) {
    event.preventDefault();
    if (ready && !busy) onConfirm();
  }

  return (
    <form onSubmit={submit}>
      <Radix.Title className="font-semibold text-16">{title}</Radix.Title>
      <Radix.Description asChild>
        <div className="mt-2 flex flex-col gap-2 text-14 text-muted">{children}</div>
      </Radix.Description>
      {typed !== undefined && (
        <div className="mt-4 flex flex-col gap-1.5">
          <label htmlFor={inputId} className="text-13">
            Type <bdi className="break-words font-semibold">{typed}</bdi> to confirm
          </label>
          <Input
            id={inputId}
            value={text}
            onChange={(event) => setText(event.target.value)}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            dir="auto"
          />
        </div>
      )}
      <div className="mt-6 flex justify-end gap-2">
        <Radix.Cancel asChild>
          <Button>{cancel ?? "Cancel"}</Button>
        </Radix.Cancel>
        <Button
          type="submit"
          variant="danger"
          busy={busy}
          reason={ready ? undefined : "Type the name above first."}
        >
          {action}
        </Button>
      </div>
    </form>
  );
}
