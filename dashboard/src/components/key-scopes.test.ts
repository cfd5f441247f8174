// @vitest-environment node
import { expect, test } from "vitest";
import { KeyScope } from "../api/keys";
import { chosenScopes, scopesInWords } from "./key-scopes";

test("scopes are told in words, in one order", () => {
  const told = (...scopes: KeyScope[]) => scopesInWords({ scopes });
  expect(told(KeyScope.ALL)).toBe("Everything");
  expect(told(KeyScope.QUERY, KeyScope.PUBLISH)).toBe("Publish, Query");
  expect(told(KeyScope.SUBSCRIBE)).toBe("Subscribe");
});

test("whoever leaves nothing out asks for everything", () => {
  expect(chosenScopes(new Set([KeyScope.PUBLISH, KeyScope.SUBSCRIBE, KeyScope.QUERY]))).toEqual([
    KeyScope.ALL,
  ]);
  expect(chosenScopes(new Set([KeyScope.QUERY, KeyScope.PUBLISH]))).toEqual([
    KeyScope.PUBLISH,
    KeyScope.QUERY,
  ]);
});
