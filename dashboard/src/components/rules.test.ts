import { expect, test } from "vitest";
import { ago } from "./ago";
import { matches } from "./matches";
import { checkEmail, checkName, checkNewPassword } from "./rules";

test.each(["a", "n".repeat(60), "فريق", "🔔".repeat(60)])("name %s is fine", (name) => {
  expect(checkName(name)).toBe(true);
});

test.each([
  ["", "Enter a name."],
  ["   ", "Enter a name."],
  ["n".repeat(61), "Use at most 60 characters; this is 1 over."],
  ["a\u0007b", "Leave out line breaks and control characters."],
])("name %j is not", (name, message) => {
  expect(checkName(name)).toBe(message);
});

test("emails and passwords", () => {
  expect(checkEmail("a@b.example")).toBe(true);
  expect(checkEmail("a b@c")).toMatch(/like/);
  expect(checkEmail("")).toMatch(/Enter your/);
  expect(checkNewPassword("1234567")).toMatch(/at least 8/);
  expect(checkNewPassword("x".repeat(257))).toMatch(/at most 256/);
  expect(checkNewPassword("twelve chars")).toBe(true);
});

test("a filter finds words in any order, without case and accents", () => {
  expect(matches("prod chat", "Chat, Production")).toBe(true);
  expect(matches("cafe", "Café")).toBe(true);
  expect(matches("", "anything")).toBe(true);
  expect(matches("tea", "Café")).toBe(false);
});

test("times ago", () => {
  const now = Date.UTC(2026, 0, 10);
  const before = (seconds: number) => ago(new Date(now - seconds * 1000), now);
  expect(before(20)).toBe("just now");
  expect(before(-5)).toBe("just now");
  expect(before(180)).toBe("3 minutes ago");
  expect(before(86_400)).toBe("yesterday");
  expect(before(86_400 * 400)).toBe("last year");
});
