import { expect, test } from "vitest";
import { localPath } from "./local-path";

test.each(["/apps", "/apps/12/keys?tab=a#row", "/"])("%s leads back", (path) => {
  expect(localPath(path)).toBe(path);
});

test.each([
  "//example.com",
  "/\\example.com",
  "/\t/example.com",
  "/a/..//example.com",
  "https://example.com/apps",
  "javascript:alert(1)",
  "apps",
  "",
  7,
  undefined,
])("%j leads nowhere", (value) => {
  expect(localPath(value)).toBeUndefined();
});
