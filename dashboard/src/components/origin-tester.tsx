import { CircleCheck, CircleX } from "lucide-react";
import { type FormEvent, useState } from "react";
import { explain } from "../api/errors";
import { useCheckOrigin } from "../api/settings";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { filledRows } from "./origins";

type Verdict = {
  /** What it was asked for: another origin or list needs another answer. */
  asked: string;
  ok: boolean;
  text: string;
};

/** Tries an origin against the list as it stands in the form, by the server's own reading of both. */
export function OriginTester({
  rows,
  onBadRow,
}: {
  rows: readonly { value: string }[];
  /** Shows an error at the row that it is about. Returns whether there was one. */
  onBadRow: (error: unknown, rowOf: number[]) => boolean;
}) {
  const [origin, setOrigin] = useState("");
  const [verdict, setVerdict] = useState<Verdict>();
  const [problem, setProblem] = useState<{ asked: string; message: string }>();
  const check = useCheckOrigin();
  const { list, rowOf } = filledRows(rows);
  const asking = JSON.stringify([origin.trim(), list]);
  const fail = (message: string) => setProblem({ asked: asking, message });

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (origin.trim() === "") return fail("Enter an origin to try.");
    setVerdict(undefined);
    setProblem(undefined);
    try {
      const { allowed, entry } = await check.mutateAsync({ origin, origins: list });
      setVerdict({ asked: asking, ok: allowed, text: inWords(allowed, entry) });
    } catch (error) {
      const { fields, title, message } = explain(error);
      if (fields["origin"]) fail(fields["origin"]);
      else if (onBadRow(error, rowOf)) fail("Correct the marked origin first.");
      else fail(`${title}. ${message}`);
    }
  }

  const said = verdict?.asked === asking ? verdict : undefined;
  const Icon = said?.ok ? CircleCheck : CircleX;
  return (
    <form noValidate onSubmit={submit} className="border-line border-t pt-4">
      <Field
        label="Try an origin"
        hint="Against the list above, saved or not."
        error={problem?.asked === asking ? problem.message : undefined}
      >
        <div className="flex gap-2">
          <Input
            value={origin}
            onChange={(event) => setOrigin(event.target.value)}
            placeholder="https://app.example.com"
            inputMode="url"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
          />
          <Button type="submit" busy={check.isPending}>
            Try
          </Button>
        </div>
      </Field>
      <p role="status" className={said ? "mt-2 flex gap-1.5 text-13" : "sr-only"}>
        {said && (
          <>
            <Icon aria-hidden className={`mt-[3px] size-3.5 shrink-0 ${said.ok ? "text-ok" : "text-bad"}`} />
            <span className="min-w-0 break-words">{said.text}</span>
          </>
        )}
      </p>
    </form>
  );
}

function inWords(allowed: boolean, entry: string): string {
  if (!allowed) return "Kept out: no entry of the list fits it.";
  return entry ? `Let in by ${entry}.` : "Let in: without a list, every site is.";
}
