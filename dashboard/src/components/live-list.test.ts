import { expect, test } from "vitest";
import { arrive, emptyList, setPaused } from "./live-list";

const fill = (numbers: number[], limit = 3) => numbers.reduce(arrive<number>, emptyList<number>(limit));

test("the newest is first and the oldest goes", () => {
  expect(fill([1, 2, 3, 4]).shown).toEqual([4, 3, 2]);
});

test("a pause holds the list still, counts, and loses nothing that still has room", () => {
  const paused = setPaused(fill([1, 2]), true);
  const later = arrive(arrive(paused, 3), 4);
  expect(later.shown).toEqual([2, 1]);
  expect(later.missed).toBe(2);
  const resumed = setPaused(later, false);
  expect(resumed.shown).toEqual([4, 3, 2]);
  expect(resumed.missed).toBe(0);
});

test("a long pause stays bounded, and still tells how many arrived", () => {
  const paused = [1, 2, 3, 4, 5].reduce(arrive<number>, setPaused(emptyList<number>(3), true));
  expect(paused.held).toEqual([5, 4, 3]);
  expect(paused.missed).toBe(5);
});
