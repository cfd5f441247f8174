import { fileURLToPath } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { expect } from "vitest";

/** Where pictures of pages go, to be looked at. */
export const folder = fileURLToPath(new URL("../screenshots", import.meta.url));

/** Draws a page to a file, and holds it against what every page owes: nothing is wider than the screen, and axe finds nothing. */
export async function check(page: Page, name: string, width: number, withAxe = true) {
  // Appearing takes 150 ms at most, and a picture in the middle of it would be of nothing.
  await page.waitForTimeout(250);
  await page.screenshot({ path: `${folder}/${name}.png` });
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth),
    `width of ${name}`,
  ).toBeLessThanOrEqual(width);
  const cut = await page.evaluate(() =>
    [...document.querySelectorAll("table")].some((table) => {
      const frame = table.parentElement;
      return frame !== null && frame.scrollWidth > frame.clientWidth;
    }),
  );
  expect(cut, `${name} has a table that does not fit`).toBe(false);
  if (!withAxe) return;
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(
    serious.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map((node) => node.html).join(" ")}`),
  ).toEqual([]);
}
