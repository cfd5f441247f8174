import { type Key, KeyScope } from "../api/keys";

/** What a key may be limited to, in the words of the page. */
export const scopeChoices = [
  {
    scope: KeyScope.PUBLISH,
    name: "Publish",
    hint: "Publish events, and end the connections of a user.",
  },
  {
    scope: KeyScope.SUBSCRIBE,
    name: "Subscribe",
    hint: "Open sockets, and sign what clients subscribe to and who they are.",
  },
  { scope: KeyScope.QUERY, name: "Query", hint: "Ask about channels, users and connections." },
] as const;

export function scopesInWords(key: Pick<Key, "scopes">): string {
  if (key.scopes.includes(KeyScope.ALL)) return "Everything";
  return scopeChoices
    .filter(({ scope }) => key.scopes.includes(scope))
    .map(({ name }) => name)
    .join(", ");
}

/** What to ask for: everything, also what comes later, where nothing is left out. */
export function chosenScopes(chosen: ReadonlySet<KeyScope>): KeyScope[] {
  if (chosen.size === scopeChoices.length) return [KeyScope.ALL];
  return scopeChoices.map(({ scope }) => scope).filter((scope) => chosen.has(scope));
}
