import { mkdir } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { confirmRevoke, createApp, createKey, launch, logIn, signUp, visitor } from "./browser";
import { check, folder } from "./look";
import { demo, makeDataFolder, type Peal, startPeal } from "./peal";

// Walks through every page in both themes and at two widths, two walks at a time. Each page is drawn to a file to be looked at
// and must not be wider than the screen; the browser must have nothing to complain about. Axe looks at each theme and each
// width once: it takes longer than all the rest, and finds colours by the theme and the order of things by the width.

const longName = "A name of sixty characters, which is as long as one may be.1";

let browser: Browser;
let data: Awaited<ReturnType<typeof makeDataFolder>>;
let peal: Peal;
let app: { short: string; long: string; arabic: string };

beforeAll(async () => {
  [browser, data] = await Promise.all([launch(), makeDataFolder(), mkdir(folder, { recursive: true })]);
  peal = await startPeal(data.path);
  const { page, context } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  app = {
    short: await createApp(page, peal.dashboardUrl, "Chat, production"),
    long: await createApp(page, peal.dashboardUrl, longName),
    arabic: await createApp(page, peal.dashboardUrl, "فريق المحادثة المباشرة"),
  };
  await page.goto(`${peal.dashboardUrl}/apps/${app.short}/keys`);
  await createKey(page);
  await page
    .getByRole("button", { name: /^Revoke key/ })
    .nth(1)
    .click();
  await confirmRevoke(page);
  // One with a long label that retires.
  await page.getByRole("button", { name: "Create key" }).click();
  const dialog = page.getByRole("dialog", { name: "Create a key" });
  await dialog.getByLabel("Label").fill(longName);
  await dialog.getByRole("switch", { name: "Query" }).click();
  await dialog.getByRole("button", { name: "Create key" }).click();
  await dialog.waitFor({ state: "detached" });
  await page
    .getByRole("button", { name: /^Rotate key/ })
    .nth(1)
    .click();
  await page.getByRole("dialog").getByRole("button", { name: "Rotate key" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await context.close();
});
afterAll(async () => {
  await browser.close();
  await peal.stop();
  await data.remove();
});

const screens = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

describe.concurrent.each(["light", "dark"] as const)("%s", (theme) => {
  test.concurrent.each(screens)(
    "every page, $width wide",
    async (viewport) => {
      const options = { viewport, colorScheme: theme, deviceScaleFactor: viewport.width < 500 ? 2 : 1 };
      const { page, context, complaints } = await visitor(browser, options);
      const withAxe = (theme === "light") === (viewport.width === screens[0]?.width);
      const look = (name: string) =>
        check(page, `${name}-${viewport.width}-${theme}`, viewport.width, withAxe);
      const open = (path: string) => page.goto(peal.dashboardUrl + path);
      const heading = (name: string) => page.getByRole("heading", { name }).first().waitFor();

      await open("/login");
      await heading("Log in");
      await look("login");
      await open("/signup");
      await page.getByRole("button", { name: "Sign up" }).click();
      await page.getByText("Enter your email address.").waitFor();
      await look("signup-errors");
      const fresh = `${theme}-${viewport.width}@example.com`;
      await signUp(page, peal.dashboardUrl, {
        email: fresh,
        password: "copper lantern 41 drifts",
        team: "Lantern",
      });
      await heading("Create your first app");
      await look("apps-empty");
      await context.clearCookies();

      await logIn(page, peal.dashboardUrl, demo);
      await page.getByRole("table", { name: "Apps" }).waitFor();
      await look("apps");
      await open("/apps?q=zzz");
      await heading("No app matches");
      await look("apps-no-match");
      await open("/apps/new");
      await heading("Create app");
      await look("app-new");

      const live = page.getByRole("status", { name: "Connection" }).filter({ hasText: "Live" });
      await open(`/apps/${app.arabic}/start`);
      await live.waitFor();
      await look("start-waiting");
      await open(`/apps/${app.long}/start?lib=curl`);
      await live.waitFor();
      await page.getByRole("button", { name: "Send a test event" }).click();
      await page.getByText("Your first event arrived").waitFor();
      await look("start-arrived");
      await open(`/apps/${app.short}/start?lib=laravel`);
      await live.waitFor();
      await look("start-laravel");

      await open(`/apps/${app.short}/keys`);
      await page
        .getByRole("button", { name: /^Reveal secret/ })
        .first()
        .click();
      await page.getByRole("button", { name: /^Hide secret/ }).waitFor();
      await look("keys");
      await page
        .getByRole("button", { name: /^Revoke key/ })
        .first()
        .click();
      await page.getByRole("alertdialog").waitFor();
      await look("keys-revoke");
      await page.keyboard.press("Escape");
      await page
        .getByRole("button", { name: /^Rotate key/ })
        .last()
        .click();
      await page.getByRole("dialog").waitFor();
      await look("keys-rotate");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Create key" }).click();
      await page.getByRole("dialog").waitFor();
      await look("keys-create");
      await page.keyboard.press("Escape");

      await open(`/apps/${app.long}/settings`);
      await heading("Settings");
      await look("settings");
      await page.getByRole("switch", { name: "TLS only" }).click();
      await page.getByRole("button", { name: "Add origin" }).click();
      await page.getByRole("textbox", { name: "Origin 1" }).fill("https://*.example.com");
      await page.getByRole("button", { name: "Add origin" }).click();
      await page.getByRole("textbox", { name: "Origin 2" }).fill("example.com");
      await page.getByRole("button", { name: "Save origins" }).click();
      await page.getByText(/is not an origin/).waitFor();
      await page.getByLabel("Try an origin").fill("https://app.example.com");
      await page.getByRole("button", { name: "Try", exact: true }).click();
      await page.getByText("Correct the marked origin first.").waitFor();
      await heading("Channel rules");
      await look("settings-channel-rules-empty");
      for (const [index, pattern] of ["presence-*-lobby", "*", `private-${"long".repeat(30)}-*`].entries()) {
        await page.getByRole("button", { name: "Add rule" }).click();
        await page.getByRole("textbox", { name: `Pattern of rule ${index + 1}` }).fill(pattern);
      }
      await page.getByRole("textbox", { name: "Messages of rule 1" }).fill("20,000");
      await page.getByRole("textbox", { name: "Time of rule 3" }).fill("1 h 30 min");
      await page.getByRole("button", { name: "Save rules" }).click();
      await page.getByText("Use 1 to 10,000.").waitFor();
      await page.getByRole("textbox", { name: "Event data" }).fill("20000");
      await page.getByRole("textbox", { name: "Channel name" }).fill("201");
      await page.getByRole("button", { name: "Save limits" }).click();
      await page.getByText("Use a number from 1 to 200.").waitFor();
      for (const section of ["Features", "Allowed origins", "Channel rules", "Limits"]) {
        await page.getByRole("heading", { name: section }).evaluate((node) => node.scrollIntoView());
        await page.evaluate(() => window.scrollBy(0, -80));
        await look(`settings-${section.toLowerCase().replace(" ", "-")}`);
      }
      await page.getByRole("button", { name: "Disable app" }).click();
      await page.getByRole("alertdialog").waitFor();
      await look("settings-disable");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Delete app" }).click();
      await page.getByRole("alertdialog").waitFor();
      await look("settings-delete");
      await page.keyboard.press("Escape");

      await page.keyboard.press("Control+k");
      await page.getByRole("combobox").waitFor();
      await look("palette");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: /^Account of/ }).click();
      await page.getByRole("menu").waitFor();
      await look("account-menu");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Switch app" }).click();
      await page.getByRole("menu").waitFor();
      await look("app-switcher");
      await page.keyboard.press("Escape");
      if (viewport.width < 1024) {
        await page.getByRole("button", { name: "Open the menu" }).click();
        await page.getByRole("dialog", { name: "Menu" }).waitFor();
        await look("menu");
      }

      await open("/apps/987654321/keys");
      await heading("No such app");
      await look("app-missing");
      await open("/nowhere");
      await heading("No such page");
      await look("not-found");

      expect(complaints).toEqual([]);
      await context.close();
    },
    240_000,
  );
});

test("loading and failing, drawn on purpose", async () => {
  const { page, context } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route("**/ListApps", async (route) => {
    await held;
    await route.fulfill({
      status: 500,
      headers: { "content-type": "application/json", "x-request-id": "0192f0c1-request" },
      body: JSON.stringify({ code: "internal", message: "internal error" }),
    });
  });
  await page.goto(`${peal.dashboardUrl}/apps`);
  await page.getByText("Loading apps").waitFor({ state: "attached" });
  await check(page, "apps-loading-1440-light", 1440);
  answer();
  await page.getByRole("heading", { name: "Could not load your apps" }).waitFor();
  await page.getByText("0192f0c1-request").waitFor();
  await check(page, "apps-error-1440-light", 1440);
  await page.unroute("**/ListApps");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("table", { name: "Apps" }).waitFor();

  const late = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route("**/GetAppSettings", async (route) => {
    await late;
    await route.fulfill({
      status: 500,
      headers: { "content-type": "application/json", "x-request-id": "0192f0c1-request" },
      body: JSON.stringify({ code: "internal", message: "internal error" }),
    });
  });
  await page.goto(`${peal.dashboardUrl}/apps/${app.short}/settings`);
  await page.getByText("Loading settings").waitFor({ state: "attached" });
  await check(page, "settings-loading-1440-light", 1440);
  answer();
  await page
    .getByRole("heading", { name: "Could not load features, origins, channel rules and limits" })
    .waitFor();
  await check(page, "settings-error-1440-light", 1440);
  await page.unroute("**/GetAppSettings");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("switch", { name: "Client events" }).waitFor();

  let answerKeys = () => {};
  const keysHeld = new Promise<void>((resolve) => {
    answerKeys = resolve;
  });
  await page.route("**/ListKeys", async (route) => {
    await keysHeld;
    await route.fulfill({
      status: 500,
      headers: { "content-type": "application/json", "x-request-id": "0192f0c1-request" },
      body: JSON.stringify({ code: "internal", message: "internal error" }),
    });
  });
  await page.goto(`${peal.dashboardUrl}/apps/${app.long}/keys`);
  await page.getByText("Loading keys").waitFor({ state: "attached" });
  await check(page, "keys-loading-1440-light", 1440);
  answerKeys();
  await page.getByRole("heading", { name: "Could not load the keys" }).waitFor();
  await check(page, "keys-error-1440-light", 1440);
  await page.unroute("**/ListKeys");
  await page.route("**/ListKeys", (route) =>
    route.fulfill({ headers: { "content-type": "application/json" }, body: "{}" }),
  );
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { name: "This app has no key" }).waitFor();
  await check(page, "keys-empty-1440-light", 1440);
  await context.close();
});
