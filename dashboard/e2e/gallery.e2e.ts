import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import { createServer } from "vite";
import { expect, test } from "vitest";
import { launch, visitor } from "./browser";

// The gallery exists in development only, so it comes from the development server; it asks no API.
const folder = fileURLToPath(new URL("../screenshots", import.meta.url));

test.each([1440, 390])("the gallery, %d wide", async (width) => {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const server = await createServer({ root, logLevel: "error", server: { host: "127.0.0.1", port: 0 } });
  const browser = await launch();
  try {
    await mkdir(folder, { recursive: true });
    await server.listen();
    const { page, complaints } = await visitor(browser, { viewport: { width, height: 900 } });
    await page.goto(`${server.resolvedUrls?.local[0]}gallery`, { timeout: 60_000 });
    await page.getByRole("heading", { name: "Gallery" }).waitFor({ state: "attached", timeout: 60_000 });
    await page.waitForTimeout(500);
    await page.screenshot({ path: `${folder}/gallery-${width}.png`, fullPage: true });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
    await server.close();
  }
});
