import type { AuditFilter } from "../api/audit";

// What the address of the audit log says.

export const times = [
  { value: "any", label: "Any time", hours: 0 },
  { value: "24h", label: "Last 24 hours", hours: 24 },
  { value: "7d", label: "Last 7 days", hours: 7 * 24 },
  { value: "30d", label: "Last 30 days", hours: 30 * 24 },
] as const;

export const nouns = [
  { value: "", label: "Every action" },
  { value: "app", label: "Apps" },
  { value: "key", label: "Keys" },
  { value: "member", label: "Members" },
  { value: "invitation", label: "Invitations" },
  { value: "token", label: "API tokens" },
  { value: "tenant", label: "Tenant" },
  { value: "user", label: "Accounts" },
  { value: "second_factor", label: "Second factors" },
  { value: "session", label: "Sessions" },
] as const;

export type AuditSearch = {
  q?: string;
  who?: string;
  action?: string;
  target?: string;
  time?: (typeof times)[number]["value"];
  event?: string;
};

const text = (value: unknown): string | undefined => {
  // Digits alone are read from the address as a number.
  const read = typeof value === "number" ? String(value) : value;
  return typeof read === "string" && read !== "" && read.length <= 200 ? read : undefined;
};

export function readAuditSearch(search: Record<string, unknown>): AuditSearch {
  const [q, who, action, target, event] = ["q", "who", "action", "target", "event"].map((name) =>
    text(search[name]),
  );
  const time = times.find(({ value }) => value === search["time"] && value !== "any");
  return {
    ...(q ? { q } : {}),
    ...(who ? { who } : {}),
    ...(action && /^[a-z_]+([.][a-z_]+)?$/.test(action) ? { action } : {}),
    ...(target ? { target } : {}),
    ...(time ? { time: time.value } : {}),
    ...(event ? { event } : {}),
  };
}

/** What the search asks the server for. The time begins with a whole minute, so that the question stays the same for a while. */
export function filterOf(search: AuditSearch, now: number): AuditFilter {
  const hours = times.find(({ value }) => value === search.time)?.hours ?? 0;
  return {
    text: search.q ?? "",
    actor: search.who ?? "",
    action: search.action ?? "",
    target: search.target ?? "",
    ...(hours > 0 ? { since: new Date(now - hours * 3_600_000) } : {}),
  };
}

/** Whether anything but an open event is asked for. */
export const isFiltered = ({ event: _, ...filter }: AuditSearch): boolean => Object.keys(filter).length > 0;
