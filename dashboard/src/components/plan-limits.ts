import type { PlanLimit } from "../api/plans";
import type { LimitChanges } from "../api/settings";
import { bounds, type LimitTexts, limitKey, parseLimit, rangeInWords } from "./limits";

// The limits of a plan in a form: each is a text, empty where the plan says nothing of it.

export function toPlanTexts(limits: readonly PlanLimit[]): LimitTexts {
  return Object.fromEntries(
    limits.map((limit) => [limitKey(limit), limit.value === undefined ? "" : String(limit.value)]),
  );
}

/** Only what differs from what the server has; a limit that was emptied is taken out of the plan. The texts have been checked. */
export function planChanges(texts: LimitTexts, limits: readonly PlanLimit[]): LimitChanges {
  const changes: LimitChanges = {};
  for (const limit of limits) {
    const key = limitKey(limit);
    const want = parseLimit(texts[key] ?? "");
    if (want !== limit.value) changes[key] = want === undefined ? {} : { value: want };
  }
  return changes;
}

/** Stands in an empty field: what holds where the plan says nothing. */
export function unsetInWords({ together, defaultValue, min }: PlanLimit): string {
  return together ? "No bound for all together" : `Default: ${bounds(defaultValue, min)}`;
}

/** For whom it is, and in which range. */
export function planLimitInWords(limit: PlanLimit): string {
  return `${limit.together ? "For all apps of the tenant together." : "For each app."} ${rangeInWords(limit)}`;
}
