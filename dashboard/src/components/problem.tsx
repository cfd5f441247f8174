import { RotateCw, TriangleAlert } from "lucide-react";
import { explain, type Problem } from "../api/errors";
import { Button } from "../ui/button";
import { Callout } from "../ui/callout";
import { CopyButton } from "../ui/copy-button";

function RequestId({ id }: { id: string }) {
  if (!id) return null;
  return (
    <span className="mt-1 flex min-w-0 items-center gap-1 text-12 text-muted">
      <span className="shrink-0">Request id</span>
      <code className="truncate">{id}</code>
      <CopyButton what="request id" source={id} />
    </span>
  );
}

/** Above a form: what concerns none of its fields alone. */
export function FormProblem({ problem }: { problem: Problem | undefined }) {
  if (!problem) return null;
  return (
    <Callout tone="bad" title={problem.title}>
      <p className="text-muted">{problem.message}</p>
      <RequestId id={problem.requestId} />
    </Callout>
  );
}

/** In place of what could not be loaded. `what` completes the sentence "Could not load …". */
export function LoadProblem({
  what,
  error,
  onRetry,
  busy,
}: {
  what: string;
  error: unknown;
  onRetry: () => void;
  busy?: boolean;
}) {
  const problem = explain(error);
  return (
    <div
      role="alert"
      className="flex flex-col items-center rounded-lg border border-line px-6 py-12 text-center"
    >
      <div className="mb-4 flex size-10 items-center justify-center rounded-lg border border-bad-line bg-bad-soft text-bad">
        <TriangleAlert aria-hidden className="size-5" />
      </div>
      <h2 className="font-semibold text-16">Could not load {what}</h2>
      <p className="mt-1 max-w-md text-14 text-muted">
        {problem.title}. {problem.message}
      </p>
      <RequestId id={problem.requestId} />
      <Button
        className="mt-5"
        onClick={onRetry}
        busy={busy ?? false}
        icon={<RotateCw aria-hidden className="size-4" />}
      >
        Try again
      </Button>
    </div>
  );
}
