import { Button } from "../ui/button";
import { Callout } from "../ui/callout";
import { useCopy } from "../ui/use-copy";

/** Told once. Each gets in once, when the authenticator is lost. */
export function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const { copy, copied } = useCopy(codes.join("\n"));
  return (
    <div className="flex flex-col gap-4">
      <Callout tone="warn" title="Keep these where your password manager is">
        <p className="text-muted">
          Without your authenticator app and without one of them nobody can log you in. Each works once. They
          are not shown again.
        </p>
      </Callout>
      <ul
        aria-label="Recovery codes"
        className="grid gap-x-8 gap-y-1.5 rounded-md border border-line bg-panel px-4 py-3 font-mono text-13 sm:grid-cols-2"
      >
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className="flex flex-wrap gap-2">
        <Button onClick={copy}>{copied ? "Copied" : "Copy all"}</Button>
        <Button variant="primary" onClick={onDone}>
          I have kept them
        </Button>
      </div>
    </div>
  );
}
