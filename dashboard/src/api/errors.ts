import { Code, ConnectError } from "@connectrpc/connect";
import { type FieldPath, type Violation, ViolationsSchema } from "../gen/buf/validate/validate_pb";

/** What went wrong, in words for the reader. */
export type Problem = {
  title: string;
  /** What to do about it. */
  message: string;
  /** Messages by field, named as in the generated types (tenantName), nested ones and places in a list with dots. */
  fields: Record<string, string>;
  /** Names the request in the server's log; empty when no answer came. */
  requestId: string;
  kind: "signed-out" | "not-found" | "invalid" | "refused" | "away" | "broken";
};

/** The one place that turns an error of the API into words. */
export function explain(error: unknown): Problem {
  const connectError = ConnectError.from(error);
  const requestId = connectError.metadata.get("x-request-id") ?? "";
  const fields = fieldsOf(connectError);
  return { ...wordsFor(connectError, Object.keys(fields).length > 0), fields, requestId };
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unauthenticated;
}

/** Whether trying the same thing again may help. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  return unreachable(error) || error.code === Code.Unavailable || error.code === Code.DeadlineExceeded;
}

function wordsFor(error: ConnectError, hasFields: boolean): Pick<Problem, "title" | "message" | "kind"> {
  if (unreachable(error)) {
    return {
      kind: "away",
      title: "No answer from the server",
      message: "Check your connection, then try again.",
    };
  }
  const said = sentence(error.rawMessage);
  switch (error.code) {
    case Code.Unauthenticated:
      return { kind: "signed-out", title: "You are signed out", message: "Log in to go on." };
    case Code.PermissionDenied:
      return { kind: "refused", title: "Not allowed", message: said || "Your role does not allow this." };
    case Code.NotFound:
      return { kind: "not-found", title: "Not found", message: said || "It may have been deleted." };
    case Code.InvalidArgument:
    case Code.OutOfRange:
      return {
        kind: "invalid",
        title: "Something needs another look",
        message: hasFields ? "See the marked fields." : said,
      };
    case Code.AlreadyExists:
      return {
        kind: "invalid",
        title: "Already taken",
        message: hasFields ? "See the marked fields." : said,
      };
    case Code.FailedPrecondition:
    case Code.Aborted:
      return { kind: "refused", title: "Not possible right now", message: said };
    case Code.ResourceExhausted:
      return {
        kind: "refused",
        title: "A limit is reached",
        message: said || "Wait a minute, then try again.",
      };
    case Code.Unavailable:
      return { kind: "away", title: "The server is not available", message: "Try again in a moment." };
    case Code.DeadlineExceeded:
    case Code.Canceled:
      return { kind: "away", title: "The answer took too long", message: "Try again in a moment." };
    default:
      return {
        kind: "broken",
        title: "Something broke on our side",
        message: "Try again. If it stays, tell the operator the request id.",
      };
  }
}

/** fetch itself failed, so there was no answer at all. */
function unreachable(error: ConnectError): boolean {
  return error.cause instanceof TypeError;
}

function fieldsOf(error: ConnectError): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const { violations } of error.findDetails(ViolationsSchema)) {
    for (const violation of violations) {
      const name = pathOf(violation.field);
      // The first message of a field is enough: one thing to fix at a time.
      if (name && !(name in fields)) fields[name] = messageOf(violation);
    }
  }
  return fields;
}

function pathOf(path: FieldPath | undefined): string {
  const names = path?.elements.map(({ fieldName, subscript }) =>
    subscript.case === "index" ? `${camelCase(fieldName)}.${subscript.value}` : camelCase(fieldName),
  );
  return names?.join(".") ?? "";
}

/** The name that the generated types give to a field of the schema. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function messageOf({ ruleId, message }: Violation): string {
  // The library's wording for a pattern shows the expression, which helps nobody who fills in a form.
  if (ruleId === "string.pattern") return "This has characters that are not allowed here.";
  if (ruleId === "string.email") return "This is not an email address.";
  if (ruleId === "required") return "Fill this in.";
  return (
    sentence(message.replace(/^(value|value length|length) (must|should) /, "Must ")) || "This is not valid."
  );
}

function sentence(text: string): string {
  const trimmed = text.trim();
  if (!trimmed) return "";
  const upper = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.?…]$/.test(upper) ? upper : `${upper}.`;
}
