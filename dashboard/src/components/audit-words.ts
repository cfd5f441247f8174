import type { AuditEvent } from "../api/audit";

// The audit log in words. Actions are noun.verb, so that one that this version does not know can still be read.

/** "app.settings_changed" reads "App settings changed". */
export function actionInWords(action: string): string {
  const words = action.replaceAll(".", " ").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Who acted, for people. */
export function actorInWords({ actorEmail, via }: AuditEvent): string {
  return actorEmail || `Command on the host (${via})`;
}

/** What it was done to: its name, or the address of a person, where the event tells one, and the id. */
export function targetOf({ target, before, after }: AuditEvent): { name: string | undefined; id: string } {
  const name = after?.["name"] ?? before?.["name"] ?? after?.["email"] ?? before?.["email"];
  return { name: typeof name === "string" ? name : undefined, id: target };
}

export type Difference = { field: string; before: string | undefined; after: string | undefined };

/** What was and what is, field by field, in the order of their names. */
export function differencesOf({ before, after }: AuditEvent): Difference[] {
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  return fields.map((field) => ({
    field,
    before: before && field in before ? valueInWords(before[field]) : undefined,
    after: after && field in after ? valueInWords(after[field]) : undefined,
  }));
}

function valueInWords(value: unknown): string {
  if (value === null || value === undefined) return "default";
  if (typeof value === "string") return value === "" ? "(empty)" : value;
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value) && value.length === 0) return "none";
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value.join(", ");
  return JSON.stringify(value);
}
