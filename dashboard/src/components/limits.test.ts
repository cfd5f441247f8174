import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
// biome-ignore lint/style/noRestrictedImports: the test plays the server, which speaks the generated types
import { LimitSchema, LimitUnit } from "../gen/peal/admin/v1/settings_pb";
import { changesOf, checkLimit, defaultInWords, planInWords, rangeInWords, toTexts } from "./limits";
import { groupLimits } from "./setting-words";

const payload = create(LimitSchema, {
  name: "payload_bytes",
  value: 10240,
  defaultValue: 10240,
  min: 1,
  max: 1048576,
  unit: LimitUnit.BYTES,
});
const connections = create(LimitSchema, {
  name: "connections",
  value: 500,
  set: true,
  min: 0,
  max: 10000000,
});

test("a limit that was not set is an empty field, also when another number holds by default", () => {
  expect(toTexts([payload, connections])).toEqual({ payloadBytes: "", connections: "500" });
});

test.each([
  ["", true],
  ["  ", true],
  ["1", true],
  [" 20000 ", true],
  ["20,000", true],
  ["20 000", true],
  ["1048576", true],
  ["0", "Use a number from 1 to 1,048,576."],
  ["1048577", "Use a number from 1 to 1,048,576."],
  ["999999999", "Use a number from 1 to 1,048,576."],
  ["-1", "Enter a whole number."],
  ["1.5", "Enter a whole number."],
  ["1,5", "Enter a whole number."],
  ["1e3", "Enter a whole number."],
  ["10 kB", "Enter a whole number."],
  ["9".repeat(40), "Enter a whole number."],
])("%j as a limit", (text, said) => {
  expect(checkLimit(text, payload)).toBe(said);
});

test("only what differs is sent", () => {
  const limits = [payload, connections];
  expect(changesOf(toTexts(limits), limits)).toEqual({});
  expect(changesOf({ payloadBytes: "", connections: "500 " }, limits)).toEqual({});
  expect(changesOf({ payloadBytes: "20,000", connections: "" }, limits)).toEqual({
    payloadBytes: { value: 20000 },
    connections: {},
  });
  // Set to the default's number: it stays so when the default changes.
  expect(changesOf({ payloadBytes: "10240", connections: "0" }, limits)).toEqual({
    payloadBytes: { value: 10240 },
    connections: { value: 0 },
  });
});

test("numbers in words", () => {
  expect(defaultInWords(connections)).toBe("Default: no bound");
  expect(defaultInWords(payload)).toBe("Default: 10,240");
  expect(rangeInWords(connections)).toBe("Up to 10,000,000; 0 is no bound.");
  expect(rangeInWords(payload)).toBe("1 to 1,048,576.");
});

test("a limit without words of ours is shown by its own name", () => {
  const later = create(LimitSchema, { name: "future_things", min: 1, max: 2 });
  const groups = groupLimits([payload, later]);
  expect(groups.map(({ title, limits }) => [title, limits.map(({ name }) => name)])).toEqual([
    ["Events", ["Event data"]],
    ["Others", ["Future things"]],
  ]);
});

test.each([
  [{ planValue: 500 }, "501", "More than your plan allows, which is 500."],
  [{ planValue: 500 }, "500", true],
  [{ planValue: 500, min: 0, together: true }, "0", "More than your plan allows, which is 500."],
  [{ planValue: 0, min: 0, together: true }, "0", true],
  [{ planValue: 2_000_000 }, "1048576", true],
])("under a plan of %j, %j", (plan, text, said) => {
  expect(checkLimit(text, create(LimitSchema, { ...payload, ...plan }))).toBe(said);
});

test("a plan is told where it says something", () => {
  expect(planInWords(payload)).toBeUndefined();
  expect(planInWords(create(LimitSchema, { ...payload, planValue: 500 }))).toBe("Your plan allows 500.");
  const together = create(LimitSchema, { ...connections, planValue: 1000, together: true });
  expect(planInWords(together)).toBe("Your plan allows 1,000 for all apps together.");
  expect(defaultInWords(together)).toBe("No bound of its own");
  expect(defaultInWords(create(LimitSchema, { ...payload, planValue: 500 }))).toBe("Plan: 500");
});
