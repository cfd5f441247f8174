import { type FormEvent, useState } from "react";
import type { Problem } from "../api/errors";
import { explain } from "../api/errors";
import { type Key, useRotateKey } from "../api/keys";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { Select } from "../ui/select";
import { useToast } from "../ui/toast";
import { scopesInWords } from "./key-scopes";
import { FormProblem } from "./problem";

const hour = 3600;
const overlaps = [
  { value: "0", label: "Not at all" },
  { value: String(hour), label: "1 hour" },
  { value: String(24 * hour), label: "24 hours" },
  { value: String(7 * 24 * hour), label: "7 days" },
  { value: String(30 * 24 * hour), label: "30 days" },
];
const until = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Asks for how long the old key is to work on, and makes the one that takes its place. */
export function RotateKey({
  appId,
  target,
  onClose,
}: {
  appId: string;
  target: Key | undefined;
  onClose: () => void;
}) {
  return (
    <Dialog open={target !== undefined} onOpenChange={(open) => open || onClose()} title="Rotate this key">
      {target && <RotateForm appId={appId} target={target} onDone={onClose} />}
    </Dialog>
  );
}

function RotateForm({ appId, target, onDone }: { appId: string; target: Key; onDone: () => void }) {
  const [seconds, setSeconds] = useState(24 * hour);
  const [problem, setProblem] = useState<Problem>();
  const rotate = useRotateKey(appId);
  const toast = useToast();

  async function submit(event: FormEvent) {
    event.preventDefault();
    setProblem(undefined);
    try {
      const { key } = await rotate.mutateAsync({
        appId,
        key: target.key,
        overlap: { seconds: BigInt(seconds) },
      });
      toast({ tone: "ok", title: "Key rotated", detail: `${key?.key} takes its place` });
      onDone();
    } catch (error) {
      setProblem(explain(error));
    }
  }

  return (
    <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <FormProblem problem={problem} />
      <p className="flex flex-col break-words text-14">
        {target.label && <bdi className="font-medium">{target.label}</bdi>}
        <code className="break-all text-13">{target.key}</code>
      </p>
      <p className="text-14 text-muted">
        A new key takes its place, for the same: {scopesInWords(target).toLowerCase()}. Move your clients and
        servers to it while both work.
      </p>
      <Field
        label="The old key works on for"
        hint={
          seconds === 0
            ? "Within a second, its sockets are closed and requests signed with it fail."
            : `Until ${until.format(Date.now() + seconds * 1000)}. Then its sockets are closed and requests signed with it fail.`
        }
      >
        <Select choices={overlaps} value={String(seconds)} onChange={(value) => setSeconds(Number(value))} />
      </Field>
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" variant={seconds === 0 ? "danger" : "primary"} busy={rotate.isPending}>
          Rotate key
        </Button>
      </div>
    </form>
  );
}
