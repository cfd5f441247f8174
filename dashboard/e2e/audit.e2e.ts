import { mkdir, readFile } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp, launch, logIn, visitor } from "./browser";
import { check, folder } from "./look";
import { demo, makeDataFolder, type Peal, startPeal } from "./peal";

let browser: Browser;
let data: Awaited<ReturnType<typeof makeDataFolder>>;
let peal: Peal;

beforeAll(async () => {
  [browser, data] = await Promise.all([launch(), makeDataFolder(), mkdir(folder, { recursive: true })]);
  peal = await startPeal(data.path);
  // Names that are hard to draw, and a change with much in it.
  const { page, context } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  await createApp(page, peal.dashboardUrl, "فريق المحادثة المباشرة");
  const id = await createApp(
    page,
    peal.dashboardUrl,
    "A name of sixty characters, which is as long as one may be.1",
  );
  await page.goto(`${peal.dashboardUrl}/apps/${id}/settings`);
  await page.getByRole("switch", { name: "Watchlist" }).click();
  await page.getByRole("button", { name: "Save features" }).click();
  await page.getByText("Features saved").first().waitFor();
  await page.getByRole("textbox", { name: "Event data" }).fill("20000");
  await page.getByRole("textbox", { name: "Connections", exact: true }).fill("500");
  await page.getByRole("button", { name: "Save limits" }).click();
  await page.getByText("Limits saved").first().waitFor();
  await context.close();
});
afterAll(async () => {
  await browser.close();
  await peal.stop();
  await data.remove();
});

test("a change is told with what was before, found again, and given as a file", async () => {
  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  const id = await createApp(page, peal.dashboardUrl, "Traced");
  await page.goto(`${peal.dashboardUrl}/apps/${id}/settings`);
  await page.getByRole("textbox", { name: "App name" }).fill("Retraced");
  await page.getByRole("button", { name: "Save name" }).click();
  await page.getByText("Name saved").first().waitFor();
  await page.getByRole("link", { name: "Audit" }).click();
  const table = page.getByRole("table", { name: "Audit log" });
  const renamed = table.getByRole("button", { name: /^App renamed/ });
  await renamed.waitFor();
  await renamed.click();
  await page.waitForURL(/event=/);
  const detail = page.getByRole("table", { name: "Before and after" });
  const row = detail.getByRole("row").filter({ hasText: "name" });
  expect(await row.innerText()).toMatch(/name\s+Traced\s+Retraced/);
  await page.reload();
  await detail.waitFor();

  await page.getByRole("link", { name: "All of it" }).click();
  await page.waitForURL(`**/audit?target=*${id}*`);
  await expect.poll(() => table.getByRole("button", { expanded: false }).count()).toBe(2);
  await page.getByRole("button", { name: `Show changes of everything, not only of ${id}` }).click();

  await page.getByRole("searchbox", { name: "Find text in changes" }).fill("retraced");
  await page.waitForURL(/q=retraced/);
  await expect.poll(() => table.getByRole("button", { expanded: false }).count()).toBe(1);
  await page.getByRole("searchbox", { name: "Find text in changes" }).fill("walrus");
  await page.getByRole("heading", { name: "No change matches" }).waitFor();
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await page.getByLabel("Action").selectOption("app");
  await page.waitForURL(/action=app/);
  await page.getByRole("textbox", { name: "Who, by email" }).fill("Dev@Peal.local");
  await page.waitForURL(/who=/);
  await table
    .getByRole("button", { name: /^App created/ })
    .first()
    .waitFor();
  expect(await table.getByRole("button", { name: /^(Key|Tenant)/ }).count()).toBe(0);

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Export CSV" }).click(),
  ]);
  const lines = (await readFile(await download.path(), "utf8")).trim().split("\r\n");
  expect(lines[0]).toMatch(/^time,id,actor,/);
  expect(lines.some((line) => line.includes(",app.renamed,"))).toBe(true);
  expect(lines.some((line) => line.includes(",key."))).toBe(false);
  expect(lines.at(-1)).toMatch(/^# end: all \d+ rows$/);
  const [other] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "JSON lines" }).click(),
  ]);
  const last: unknown = JSON.parse(
    (await readFile(await other.path(), "utf8")).trim().split("\n").at(-1) ?? "",
  );
  expect(last).toMatchObject({ end: true, more: false });
  expect(complaints).toEqual([]);
  await context.close();
});

const screens = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

describe.each(["light", "dark"] as const)("%s", (theme) => {
  test.each(screens)("the audit log, $width wide", async (viewport) => {
    const options = { viewport, colorScheme: theme, deviceScaleFactor: viewport.width < 500 ? 2 : 1 };
    const { page, context, complaints } = await visitor(browser, options);
    const withAxe = (theme === "light") === (viewport.width === screens[0]?.width);
    const name = (what: string) => `${what}-${viewport.width}-${theme}`;
    await logIn(page, peal.dashboardUrl, demo);
    await page.goto(`${peal.dashboardUrl}/audit`);
    const table = page.getByRole("table", { name: "Audit log" });
    await table.waitFor();
    await check(page, name("audit"), viewport.width, withAxe);
    await table
      .getByRole("button", { name: /^App settings changed/ })
      .first()
      .click();
    await page.getByRole("table", { name: "Before and after" }).waitFor();
    await check(page, name("audit-open"), viewport.width, withAxe);
    // The open row is as wide as the others, whatever columns are drawn.
    const cells = page.locator("table[aria-label='Audit log'] > tbody > tr");
    const widths = await cells.evaluateAll((rows) =>
      rows.map((row) => row.lastElementChild?.getBoundingClientRect().right),
    );
    expect(new Set(widths).size).toBe(1);
    await page.goto(`${peal.dashboardUrl}/audit?q=walrus`);
    await page.getByRole("heading", { name: "No change matches" }).waitFor();
    await check(page, name("audit-no-match"), viewport.width, withAxe);
    expect(complaints).toEqual([]);
    await context.close();
  });
});

test("the audit log while it loads and when it fails", async () => {
  const { page, context } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route("**/ListAuditEvents", async (route) => {
    await held;
    await route.fulfill({
      status: 500,
      headers: { "content-type": "application/json", "x-request-id": "0192f0c1-request" },
      body: JSON.stringify({ code: "internal", message: "internal error" }),
    });
  });
  await page.goto(`${peal.dashboardUrl}/audit`);
  await page.getByText("Loading the audit log").waitFor({ state: "attached" });
  await check(page, "audit-loading-1440-light", 1440);
  answer();
  await page.getByRole("heading", { name: "Could not load the audit log" }).waitFor();
  await check(page, "audit-error-1440-light", 1440);
  await page.unroute("**/ListAuditEvents");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("table", { name: "Audit log" }).waitFor();
  await context.close();
});
