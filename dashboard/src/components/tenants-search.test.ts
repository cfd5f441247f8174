import { expect, test } from "vitest";
import { filterOf, isFiltered, readTenantsSearch } from "./tenants-search";

test("what an address may say is read, and nothing else", () => {
  expect(readTenantsSearch({ q: "acme", plan: "pro-2", suspended: true })).toEqual({
    q: "acme",
    plan: "pro-2",
    suspended: true,
  });
  // Digits alone come as a number, also where they name a plan.
  expect(readTenantsSearch({ q: 42, plan: 7 })).toEqual({ q: "42", plan: "7" });
  expect(readTenantsSearch({ q: "", plan: "Not A Plan", suspended: "yes", page: 3 })).toEqual({});
  expect(readTenantsSearch({ q: { a: 1 }, plan: ["x"], suspended: false })).toEqual({});
});

test("a text is as long as the server takes, counted in characters and not in halves of them", () => {
  const { q = "" } = readTenantsSearch({ q: "😀".repeat(300) });
  expect([...q]).toHaveLength(254);
});

test("an empty search asks for every tenant", () => {
  expect(filterOf({})).toEqual({ text: "", planId: "", suspendedOnly: false });
  expect(isFiltered({})).toBe(false);
  expect(filterOf({ q: " acme ", plan: "pro", suspended: true })).toEqual({
    text: "acme",
    planId: "pro",
    suspendedOnly: true,
  });
  expect(isFiltered({ suspended: true })).toBe(true);
});
