import { mkdir, readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import Pusher from "pusher";
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
});
afterAll(async () => {
  await browser.close();
  await peal.stop();
  await data.remove();
});

test("what an app uses is counted, drawn and given as a file", async () => {
  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  const idle = await createApp(page, peal.dashboardUrl, "Idle");
  await page.goto(`${peal.dashboardUrl}/apps/${idle}/usage`);
  await page.getByRole("heading", { name: /^Nothing was (used|counted) in this range$/ }).waitFor();
  await page.getByRole("link", { name: "Send a first event" }).waitFor();

  const { hostname, port } = new URL(peal.edgeUrl);
  const server = new Pusher({ appId: peal.appId, key: peal.key, secret: peal.secret, host: hostname, port });
  // A socket that stays, seven messages, and one call whose signature does not hold.
  await page.evaluate(
    (address) =>
      new Promise<void>((resolve) => {
        new WebSocket(address).addEventListener("message", () => resolve());
      }),
    `${peal.edgeUrl.replace(/^http/, "ws")}/app/${peal.key}?protocol=7`,
  );
  for (let i = 0; i < 7; i++) await server.trigger("my-channel", "my-event", { i });
  const wrong = new Pusher({ appId: peal.appId, key: peal.key, secret: "wrong", host: hostname, port });
  await expect(wrong.trigger("my-channel", "my-event", {})).rejects.toMatchObject({ status: 401 });

  const usage = await context.newPage();
  const tile = (name: string) => usage.locator("dl > div").filter({ hasText: name }).getByRole("definition");
  await expect
    .poll(
      async () => {
        await usage.goto(`${peal.dashboardUrl}/apps/${peal.appId}/usage?range=1h`);
        await usage.getByRole("heading", { name: /^(Connections|Nothing was .*)$/ }).waitFor();
        const seen = tile("Messages in");
        return (await seen.count()) > 0 ? await seen.innerText() : "none";
      },
      { timeout: 60_000, interval: 3000 },
    )
    .toBe("7");
  expect(await tile("Peak connections").innerText()).toBe("1");
  expect(await tile("Refused").innerText()).toBe("1");
  expect(await usage.getByRole("img", { name: /^Messages\. In: last/ }).count()).toBe(1);
  await usage.getByRole("table", { name: "What was refused" }).getByText("unauthorized").waitFor();
  await usage.getByText("No webhook was delivered in this range.").waitFor();

  await usage.getByLabel("Range").selectOption("7d");
  await usage.waitForURL(/range=7d/);
  await usage.getByLabel("Step").selectOption("day");
  await usage.waitForURL(/step=day/);
  await usage.reload();
  expect(await usage.getByLabel("Step").inputValue()).toBe("day");
  await tile("Messages in").filter({ hasText: "7" }).waitFor();

  const [download] = await Promise.all([
    usage.waitForEvent("download"),
    usage.getByRole("link", { name: "Export CSV" }).click(),
  ]);
  const file = await readFile(await download.path(), "utf8");
  const lines = file.trim().split("\r\n");
  expect(lines[0]).toMatch(/^start,step,app_id,covered_seconds,peak_connections,/);
  expect(lines[1]).toContain(`,day,${peal.appId},`);
  expect(lines.at(-1)).toBe("# end: all 1 rows");

  // The tenant's own page names the app, and leads there with the same range.
  await usage.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Usage" }).first().click();
  await usage.waitForURL(/\/usage$/);
  const top = usage.getByRole("table", { name: "Apps that used most" });
  await top.waitFor();
  await usage.getByLabel("Order of apps").selectOption("connections");
  await usage.waitForURL(/by=connections/);
  await top.getByRole("link").first().click();
  await usage.waitForURL(`**/apps/${peal.appId}/usage`);

  // Alerts are switched off, and stay so.
  await usage.goto(`${peal.dashboardUrl}/usage`);
  const alerts = usage.getByRole("switch", { name: "Mail to owners and admins" });
  await alerts.click();
  await usage.getByText("Alerts are off").first().waitFor();
  await usage.reload();
  await usage.getByRole("switch", { name: "Mail to owners and admins", checked: false }).click();
  await usage.getByText("Alerts are on").first().waitFor();

  // How full the limit is stands beside it.
  await usage.goto(`${peal.dashboardUrl}/apps/${peal.appId}/settings`);
  await usage.getByRole("textbox", { name: "Connections", exact: true }).fill("4");
  await usage.getByRole("button", { name: "Save limits" }).click();
  await usage.getByText("Limits saved").first().waitFor();
  await usage.getByText(/Now 1 of 4 \(25 %\), at most 1 today\./).waitFor({ timeout: 20_000 });
  expect(complaints).toEqual([]);
  await context.close();
});

/** A day with gaps, a busy evening and a limit, as the server would tell of it. */
async function tellOfADay(page: Page) {
  const json = (body: unknown) => ({
    status: 200,
    contentType: "application/json",
    body: JSON.stringify(body),
  });
  await page.route("**/GetUsage", async (route) => {
    const asked = route.request().postDataJSON() as { since: string };
    const since = new Date(asked.since).getTime();
    const points = [];
    for (let i = 0; i < 1440; i++) {
      if ((i > 300 && i < 360) || (i > 700 && i < 705)) continue;
      if (i > 330 && i < 350 && i !== 340) continue;
      const wave = 0.55 + 0.4 * Math.sin(i / 180) + 0.05 * Math.sin(i / 7);
      points.push({
        start: new Date(since + i * 60_000).toISOString(),
        coveredSeconds: 60,
        counts: {
          peakConnections: String(Math.round(900 * wave)),
          averageConnections: 780 * wave,
          messagesIn: String(Math.round(1200 * wave)),
          messagesOut: String(Math.round(48_000 * wave)),
          bytesIn: String(Math.round(340_000 * wave)),
          bytesOut: String(Math.round(14_000_000 * wave)),
          apiCalls: String(Math.round(900 * wave)),
          webhooks: "0",
          rejections: i % 97 === 0 ? [{ reason: "message_rate", count: String(i % 13) }] : [],
        },
      });
    }
    const gaps = [
      {
        start: new Date(since + 300 * 60_000).toISOString(),
        end: new Date(since + 360 * 60_000).toISOString(),
      },
    ];
    await route.fulfill(
      json({
        points,
        gaps,
        since: new Date(since).toISOString(),
        until: new Date(since + 1440 * 60_000).toISOString(),
        total: {
          peakConnections: "912",
          averageConnections: 431.2,
          messagesIn: "912345",
          messagesOut: "36412345",
          bytesIn: "258400000",
          bytesOut: "10640000000",
          apiCalls: "684000",
          rejections: [
            { reason: "message_rate", count: "83" },
            { reason: "unauthorized", count: "1204" },
          ],
        },
      }),
    );
  });
  await page.route("**/GetLimitUse", (route) =>
    route.fulfill(json({ limits: [{ name: "connections", value: "1000", used: "871", peakToday: "912" }] })),
  );
  const counts = {
    peakConnections: "912",
    messagesIn: "912345",
    messagesOut: "36412345",
    bytesOut: "10640000000",
  };
  await page.route("**/ListAppsUsage", (route) =>
    route.fulfill(
      json({
        apps: [
          { appId: peal.appId, name: "A name of sixty characters, which is as long as one may be.1", counts },
          { appId: "77", name: "فريق المحادثة المباشرة", counts: { ...counts, messagesIn: "12" } },
          { appId: "78", counts: { messagesOut: "3", rejections: [{ reason: "busy", count: "2" }] } },
        ],
      }),
    ),
  );
}

const screens = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

describe.each(["light", "dark"] as const)("%s", (theme) => {
  test.each(screens)("a day of usage, $width wide", async (viewport) => {
    const options = { viewport, colorScheme: theme, deviceScaleFactor: viewport.width < 500 ? 2 : 1 };
    const { page, context, complaints } = await visitor(browser, options);
    const withAxe = (theme === "light") === (viewport.width === screens[0]?.width);
    const name = (what: string) => `${what}-${viewport.width}-${theme}`;
    await logIn(page, peal.dashboardUrl, demo);
    await tellOfADay(page);
    await page.goto(`${peal.dashboardUrl}/apps/${peal.appId}/usage`);
    const chart = page.getByRole("img", { name: /^Connections\./ });
    await chart.waitFor();
    await check(page, name("usage-app"), viewport.width, withAxe);
    // The crosshair of one chart is that of all: each tells its values at that time.
    await chart.scrollIntoViewIfNeeded();
    const box = await chart.boundingBox();
    if (!box) throw new Error("the chart is nowhere");
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2);
    await expect.poll(() => page.getByText(/^(Last|So far):/).count()).toBe(0);
    await check(page, name("usage-crosshair"), viewport.width, false);
    await page.getByRole("heading", { name: "Refused", exact: true }).scrollIntoViewIfNeeded();
    await check(page, name("usage-below"), viewport.width, false);

    await page.goto(`${peal.dashboardUrl}/usage`);
    await page.getByRole("table", { name: "Apps that used most" }).scrollIntoViewIfNeeded();
    await check(page, name("usage-tenant"), viewport.width, withAxe);
    await page.getByRole("switch", { name: "Mail to owners and admins" }).scrollIntoViewIfNeeded();
    await check(page, name("usage-alerts"), viewport.width, withAxe);

    await page.goto(`${peal.dashboardUrl}/apps/${peal.appId}/settings`);
    const use = page.getByText("Now 871 of 1,000 (87 %), at most 912 today.");
    await use.waitFor();
    await use.scrollIntoViewIfNeeded();
    await check(page, name("settings-limit-use"), viewport.width, withAxe);
    expect(complaints).toEqual([]);
    await context.close();
  });
});

test("usage while it loads, when it fails, and when there is none", async () => {
  const { page, context } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route("**/GetUsage", async (route) => {
    await held;
    await route.fulfill({
      status: 500,
      headers: { "content-type": "application/json", "x-request-id": "0192f0c1-request" },
      body: JSON.stringify({ code: "internal", message: "internal error" }),
    });
  });
  await page.goto(`${peal.dashboardUrl}/usage`);
  await page.getByText("Loading usage").waitFor({ state: "attached" });
  await check(page, "usage-loading-1440-light", 1440);
  answer();
  await page.getByRole("heading", { name: "Could not load the usage" }).waitFor();
  await check(page, "usage-error-1440-light", 1440);
  await page.unroute("**/GetUsage");
  const unused = await createApp(page, peal.dashboardUrl, "Unused");
  await page.goto(`${peal.dashboardUrl}/apps/${unused}/usage`);
  await page.getByRole("heading", { name: /^Nothing was/ }).waitFor();
  await check(page, "usage-empty-1440-light", 1440);
  await context.close();
});
