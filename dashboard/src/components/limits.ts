import { camelCase } from "../api/errors";
import type { Limit, LimitChanges } from "../api/settings";

/** Where a number may lie: of an app's limit, or of a plan's, which no plan stands above. */
type Bounds = { min: number; max: number; planValue?: number };

// A limit in a form is a text: empty where the app follows the default.

export type LimitTexts = Record<string, string>;

/** The name of a limit's field, in forms, requests and errors. */
export const limitKey = ({ name }: { name: string }): string => camelCase(name);

export function toTexts(limits: readonly Limit[]): LimitTexts {
  return Object.fromEntries(limits.map((limit) => [limitKey(limit), limit.set ? String(limit.value) : ""]));
}

const number = new Intl.NumberFormat("en");

export const inDigits = (value: number): string => number.format(value);

/** Where 0 is allowed it means no bound. */
export const bounds = (value: number, min: number) =>
  value === 0 && min === 0 ? "no bound" : inDigits(value);

/** Stands in an empty field. */
export function defaultInWords({ defaultValue, min, planValue, together }: Limit): string {
  if (planValue === undefined) return `Default: ${bounds(defaultValue, min)}`;
  return together ? "No bound of its own" : `Plan: ${bounds(planValue, min)}`;
}

/** What the account's plan says of a limit, if it says something. */
export function planInWords({ planValue, min, together }: Limit): string | undefined {
  if (planValue === undefined) return undefined;
  return together
    ? `Your plan allows ${bounds(planValue, min)} for all apps together.`
    : `Your plan allows ${bounds(planValue, min)}.`;
}

/** The most that an app may be set to: what the range allows, and the plan. */
function most({ max, min, planValue }: Bounds): number {
  return planValue === undefined || (planValue === 0 && min === 0) ? max : Math.min(max, planValue);
}

export function rangeInWords({ min, max }: Bounds): string {
  return min === 0 ? `Up to ${inDigits(max)}; 0 is no bound.` : `${inDigits(min)} to ${inDigits(max)}.`;
}

/** What the server would refuse, said before asking it. */
export function checkLimit(text: string, limit: Bounds): string | true {
  if (text.trim() === "") return true;
  const value = parseLimit(text);
  if (value === undefined) return "Enter a whole number.";
  if (value < limit.min || value > limit.max) {
    return `Use a number from ${inDigits(limit.min)} to ${inDigits(limit.max)}.`;
  }
  const unbounded = value === 0 && limit.min === 0;
  const allowed = most(limit);
  return value > allowed || (unbounded && allowed < limit.max)
    ? `More than your plan allows, which is ${inDigits(allowed)}.`
    : true;
}

/** Only what differs from what the server has. The texts have been checked. */
export function changesOf(texts: LimitTexts, limits: readonly Limit[]): LimitChanges {
  const changes: LimitChanges = {};
  for (const limit of limits) {
    const key = limitKey(limit);
    const want = parseLimit(texts[key] ?? "");
    const have = limit.set ? limit.value : undefined;
    if (want !== have) changes[key] = want === undefined ? {} : { value: want };
  }
  return changes;
}

/** Whole numbers, with the spaces and commas with which people group digits. */
export function parseLimit(text: string): number | undefined {
  const digits = text.trim();
  if (!/^\d{1,3}([ ,]\d{3})+$|^\d{1,10}$/.test(digits)) return undefined;
  return Number(digits.replace(/[ ,]/g, ""));
}
