import { expect, test } from "vitest";
import { highlight } from "./highlight";

const kinds = (code: string, language: Parameters<typeof highlight>[1]) =>
  highlight(code, language)
    .filter(({ kind }) => kind !== "plain")
    .map(({ kind, text }) => `${kind} ${text}`);

test("nothing of the code is lost", () => {
  const code = 'const a = "x\\"y"; // 12\nif (b) return 3.5;';
  expect(
    highlight(code, "js")
      .map(({ text }) => text)
      .join(""),
  ).toBe(code);
});

test("an address in a string is no comment", () => {
  expect(kinds('curl "http://host"', "bash")).toEqual(["keyword curl", 'string "http://host"']);
  expect(kinds("a # b", "bash")).toEqual(["comment # b"]);
  expect(kinds("port: 80, // web", "js")).toEqual(["number 80", "comment // web"]);
});
