/** How the live connection is, told honestly. "live" means connected and subscribed. */
export type Link =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "unavailable" }
  | { state: "closed" }
  | { state: "refused"; code: number; reason: string };

/** The link after pusher-js has moved to another state. */
export function linkAfter(link: Link, current: string): Link {
  // After a refusal the library also reports "disconnected"; the refusal says more.
  if (link.state === "refused" && current !== "connecting") return link;
  switch (current) {
    case "unavailable":
    case "failed":
      return { state: "unavailable" };
    case "disconnected":
      return { state: "closed" };
    default:
      // "connected" too: without the subscription nothing would arrive.
      return { state: "connecting" };
  }
}

/** Reads an error of pusher-js. Only codes after which it does not try again count as a refusal. */
export function refusalOf(error: unknown): Link | undefined {
  const data = dig(error, "data") ?? dig(dig(error, "error"), "data");
  const code = dig(data, "code");
  const message = dig(data, "message");
  if (typeof code !== "number") return undefined;
  const final = (code >= 4000 && code < 4100) || (code >= 4300 && code < 5000);
  if (!final) return undefined;
  return { state: "refused", code, reason: typeof message === "string" ? message : "" };
}

function dig(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
