import { expect, test } from "vitest";
import {
  catchAll,
  checkPattern,
  checkSize,
  checkTime,
  fieldOf,
  parseTime,
  timeInWords,
  toRules,
  toRuleTexts,
} from "./channel-rules";

test.each([
  ["90 s", 90],
  ["15min", 900],
  ["15 minutes", 900],
  ["1h 30m", 5400],
  ["24 H", 86400],
  [" 1 hour ", 3600],
  ["0 s", 0],
  ["60", undefined],
  ["", undefined],
  ["h", undefined],
  ["1.5 h", undefined],
  ["-1 s", undefined],
  ["1 d", undefined],
  ["1 s 2", undefined],
])("%j is read as %j seconds", (text, seconds) => {
  expect(parseTime(text)).toBe(seconds);
});

test("a time is written so that it is read as the same", () => {
  for (const seconds of [1, 59, 60, 61, 3600, 3661, 86399, 86400]) {
    expect(parseTime(timeInWords(seconds))).toBe(seconds);
  }
  expect(timeInWords(5400)).toBe("1 h 30 min");
});

test.each([
  ["orders-*", true],
  ["*", true],
  [" private-A_=@,.;9 ", true],
  ["a*".repeat(8), true],
  [`a${"*".repeat(20)}`, true],
  ["", /every channel/],
  ["a b", /the space/],
  ["#user", /Leave out #/],
  ["a:b", /Leave out :/],
  ["é", /Leave out é/],
  ["a".repeat(201), /200 characters/],
  ["a*".repeat(9), /8 stars/],
])("the pattern %j", (pattern, want) => {
  if (want === true) expect(checkPattern(pattern as string)).toBe(true);
  else expect(checkPattern(pattern as string)).toMatch(want as RegExp);
});

test("sizes and times have a range", () => {
  for (const size of ["1", "10,000", "10 000", " 7 "]) expect(checkSize(size)).toBe(true);
  for (const size of ["", "0", "10,001", "1,00", "x", "1.5"]) expect(checkSize(size)).toMatch(/1 to 10,000/);
  for (const time of ["1 s", "24 h"]) expect(checkTime(time)).toBe(true);
  for (const time of ["0 s", "24 h 1 s"]) expect(checkTime(time)).toMatch(/1 s to 24 h/);
  expect(checkTime("60")).toMatch(/^Write it as/);
});

test("texts become the rules that they were made of", () => {
  const rules = [
    { pattern: "orders-*", log: { size: 1000, ttlSeconds: 5400 } },
    { pattern: "*", log: { size: 1, ttlSeconds: 1 } },
  ];
  expect(toRules(toRuleTexts(rules as never))).toEqual(rules);
  expect(toRules([{ pattern: " a ", size: "1,000", ttl: "1m" }])).toEqual([
    { pattern: "a", log: { size: 1000, ttlSeconds: 60 } },
  ]);
});

test("behind a rule for every channel none counts", () => {
  const at = (...patterns: string[]) => catchAll(patterns.map((pattern) => ({ pattern })));
  expect(at("a", " ** ", "b")).toBe(1);
  expect(at("a*", "b")).toBe(2);
  expect(at()).toBe(0);
});

test("messages find their fields", () => {
  expect(fieldOf("channelRules.list.2.pattern")).toEqual({ row: 2, field: "pattern" });
  expect(fieldOf("channelRules.list.0.log.size")).toEqual({ row: 0, field: "size" });
  expect(fieldOf("channelRules.list.10.log.ttlSeconds")).toEqual({ row: 10, field: "ttl" });
  expect(fieldOf("channelRules.list")).toBeUndefined();
  expect(fieldOf("origins.list.1")).toBeUndefined();
});
