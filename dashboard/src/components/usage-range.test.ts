import { expect, test } from "vitest";
import { choose, ranges, readUsageSearch, sinceOf, timesOf } from "./usage-range";

const now = Date.UTC(2026, 4, 4, 10, 30, 20);

test("an address says a range and a step, as far as they make sense", () => {
  expect(readUsageSearch({ range: "7d", step: "day" })).toEqual({ range: "7d", step: "day" });
  expect(readUsageSearch({ range: "7d", step: "minute" })).toEqual({ range: "7d" });
  expect(readUsageSearch({ range: "forever", step: "hour", other: 1 })).toEqual({ step: "hour" });
  expect(choose({})).toMatchObject({ range: "24h", step: "minute", hours: 24 });
  expect(choose({ range: "30d" })).toMatchObject({ step: "hour" });
});

test("a range ends with the step that is under way", () => {
  expect(sinceOf({ hours: 1, step: "minute" }, now).toISOString()).toBe("2026-05-04T09:31:00.000Z");
  expect(sinceOf({ hours: 24, step: "hour" }, now).toISOString()).toBe("2026-05-03T11:00:00.000Z");
  expect(sinceOf({ hours: 7 * 24, step: "day" }, now).toISOString()).toBe("2026-04-28T00:00:00.000Z");
});

test("no range asks for what is not kept any more", () => {
  const kept = { minute: 48, hour: 90 * 24, day: 730 * 24 };
  for (const { hours, steps } of ranges) for (const step of steps) expect(hours).toBeLessThan(kept[step]);
});

test("a range has every step", () => {
  const since = Date.UTC(2026, 4, 4, 10) / 1000;
  expect(timesOf(since, since + 180, "minute")).toEqual([since, since + 60, since + 120]);
  expect(timesOf(since, since - 60, "minute")).toEqual([]);
});
