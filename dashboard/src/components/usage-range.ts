import type { Order, Step } from "../api/usage";

export type { Order };

// Ranges of usage that the address can name. Each is shorter than what is kept of its steps, so that a clock that is a little
// wrong asks for nothing that is gone.

export const ranges = [
  { value: "1h", label: "Last hour", hours: 1, steps: ["minute"] },
  { value: "24h", label: "Last 24 hours", hours: 24, steps: ["minute", "hour"] },
  { value: "7d", label: "Last 7 days", hours: 7 * 24, steps: ["hour", "day"] },
  { value: "30d", label: "Last 30 days", hours: 30 * 24, steps: ["hour", "day"] },
  { value: "90d", label: "Last 90 days", hours: 90 * 24, steps: ["day"] },
  { value: "1y", label: "Last year", hours: 365 * 24, steps: ["day"] },
] as const satisfies { value: string; label: string; hours: number; steps: Step[] }[];

/** By what apps can be compared. */
export const usageOrders = ["messages", "connections", "bytes", "rejections"] as const satisfies Order[];

export type RangeName = (typeof ranges)[number]["value"];
export type UsageSearch = { range?: RangeName; step?: Step };

const stepLabels: Record<Step, string> = { minute: "By minute", hour: "By hour", day: "By day (UTC)" };

const lengths: Record<Step, number> = { minute: 60, hour: 3600, day: 86_400 };

export type Chosen = { range: RangeName; step: Step; hours: number; steps: { value: Step; label: string }[] };

const isOneOf = <T extends string>(list: readonly T[], value: unknown): value is T =>
  list.some((one) => one === value);

/** What the address says, as far as it makes sense. */
export function readUsageSearch(search: Record<string, unknown>): UsageSearch {
  const found = ranges.find(({ value }) => value === search["range"]);
  const steps: readonly Step[] = (found ?? ranges[1]).steps;
  const step = search["step"];
  return {
    ...(found ? { range: found.value } : {}),
    ...(isOneOf(steps, step) ? { step } : {}),
  };
}

/** The range and the step that hold: the last day by minute where the address says nothing. */
export function choose(search: UsageSearch): Chosen {
  const range = ranges.find(({ value }) => value === search.range) ?? ranges[1];
  const steps: readonly Step[] = range.steps;
  const step = search.step && steps.includes(search.step) ? search.step : range.steps[0];
  return {
    range: range.value,
    step,
    hours: range.hours,
    steps: steps.map((value) => ({ value, label: stepLabels[value] })),
  };
}

/** When a range begins that ends with the step that is under way. */
export function sinceOf({ hours, step }: Pick<Chosen, "hours" | "step">, now: number): Date {
  const length = lengths[step] * 1000;
  return new Date(Math.floor(now / length) * length - hours * 3_600_000 + length);
}

/** When the minute began that is under way: what ranges are counted back from. */
export const thisMinute = (): number => Math.floor(Date.now() / 60_000) * 60_000;

/** Every step of a range, in seconds since 1970. */
export function timesOf(since: number, until: number, step: Step): number[] {
  const length = lengths[step];
  const count = Math.max(0, Math.round((until - since) / length));
  return Array.from({ length: count }, (_, i) => since + i * length);
}

const inZone: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const clock = new Intl.DateTimeFormat("en", inZone);
const dayAndClock = new Intl.DateTimeFormat("en", { ...inZone, month: "short", day: "numeric" });
const dayHere = new Intl.DateTimeFormat("en", { month: "short", day: "numeric" });
const dayUTC = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", timeZone: "UTC" });
const dayAndYearUTC = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" });

/** How times are written: days are those of UTC, everything else is in the reader's zone. */
export function timeFormat({ step, hours }: Pick<Chosen, "step" | "hours">) {
  return (seconds: number, exact: boolean): string => {
    const date = new Date(seconds * 1000);
    if (step === "day") return exact ? `${dayAndYearUTC.format(date)} (UTC)` : dayUTC.format(date);
    if (exact) return dayAndClock.format(date);
    return hours > 48 ? dayHere.format(date) : clock.format(date);
  };
}
