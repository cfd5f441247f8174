import { mkdir } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, logIn, signUp, visitor } from "./browser";
import { check, folder } from "./look";
import { demo, makeDataFolder, type Peal, startPeal } from "./peal";

// The pages about people in both themes and at two widths, as pages.e2e.ts has the others.

const words = "copper lantern 41 drifts";
const longAddress = `${"a-rather-long-name-".repeat(3)}@mail.of-a-company-with-a-name.example.com`;

let browser: Browser;
let data: Awaited<ReturnType<typeof makeDataFolder>>;
let peal: Peal;
let invitation: string;

beforeAll(async () => {
  [browser, data] = await Promise.all([launch(), makeDataFolder(), mkdir(folder, { recursive: true })]);
  peal = await startPeal(data.path);
  const { page, context } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  await page.goto(`${peal.dashboardUrl}/members`);
  for (const [email, role] of [
    ["dev-of-demo@example.com", "Developer"],
    [longAddress, "Viewer"],
    ["waits@example.com", "Admin"],
  ] as const) {
    await invite(page, email, role);
  }
  for (const email of ["dev-of-demo@example.com", longAddress]) {
    const guest = await visitor(browser);
    await guest.page.goto(await linkTo(guest.page, email));
    await guest.page.getByLabel("Password", { exact: true }).fill(words);
    await guest.page.getByRole("button", { name: "Accept invitation" }).click();
    await guest.page.waitForURL("**/apps");
    await guest.context.close();
  }
  invitation = await linkTo(page, "waits@example.com");
  await page.goto(`${peal.dashboardUrl}/tokens`);
  for (const name of ["Deploys", "A name of sixty characters, which is as long as one may be.1"]) {
    await page.getByRole("button", { name: "Create token" }).click();
    await page.getByLabel("Name").fill(name);
    await page.getByRole("dialog").getByRole("button", { name: "Create token" }).click();
    await page.getByRole("button", { name: "Done" }).click();
  }
  await context.close();
}, 120_000);
afterAll(async () => {
  await browser.close();
  await peal.stop();
  await data.remove();
});

async function invite(page: Page, email: string, role: string) {
  await page.getByRole("button", { name: "Invite" }).click();
  const dialog = page.getByRole("dialog", { name: "Invite somebody" });
  await dialog.getByLabel("Email").fill(email);
  await dialog.getByLabel("Role").selectOption(role);
  await dialog.getByRole("button", { name: "Invite" }).click();
  await dialog.waitFor({ state: "detached" });
}

async function linkTo(page: Page, email: string): Promise<string> {
  const mail = page
    .locator("article")
    .filter({ hasText: `To ${email}` })
    .first();
  for (let tries = 0; tries < 30; tries++) {
    await page.goto(`${peal.opsUrl}/mail`);
    if ((await mail.count()) > 0) break;
    await page.waitForTimeout(500);
  }
  return (await mail.getByRole("link").first().getAttribute("href")) ?? "";
}

const screens = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

describe.each(["light", "dark"] as const)("%s", (theme) => {
  test.each(screens)(
    "pages about people, $width wide",
    async (viewport) => {
      const options = { viewport, colorScheme: theme, deviceScaleFactor: viewport.width < 500 ? 2 : 1 };
      const { page, context, complaints } = await visitor(browser, options);
      const withAxe = (theme === "light") === (viewport.width === screens[0]?.width);
      const look = (name: string) =>
        check(page, `${name}-${viewport.width}-${theme}`, viewport.width, withAxe);
      const open = (path: string) => page.goto(peal.dashboardUrl + path);

      await page.goto(invitation);
      await page.getByRole("heading", { name: "Join Demo" }).waitFor();
      await look("invitation");
      await open("/invitation#gone");
      await page.getByText("This invitation does not work").waitFor();
      await look("invitation-dead");
      await open("/forgot-password");
      await page.getByRole("heading", { name: "Forgot your password?" }).waitFor();
      await look("forgot-password");
      await open("/reset-password#any");
      await page.getByRole("heading", { name: "Set another password" }).waitFor();
      await look("reset-password");
      await open("/verify-email#any");
      await page.getByRole("button", { name: "Verify address" }).click();
      await page.getByText("This link does not work").waitFor();
      await look("verify-email-dead");

      const email = `people-${theme}-${viewport.width}@example.com`;
      await signUp(page, peal.dashboardUrl, {
        email,
        password: words,
        team: "Lantern",
      });
      await page.getByRole("region", { name: "Your address is not verified" }).waitFor();
      await look("verify-banner");
      await open("/tokens");
      await page.getByRole("heading", { name: "There is no token" }).waitFor();
      await look("tokens-empty");
      await page.goto(await linkTo(page, email));
      await page.getByRole("button", { name: "Verify address" }).click();
      await page.getByText(`${email} is yours.`, { exact: false }).waitFor();
      await open("/two-factor");
      await page.getByLabel("Your password").fill(words);
      await page.getByRole("button", { name: "Go on" }).click();
      await page.getByRole("img", { name: "QR code for your authenticator app" }).waitFor();
      await look("two-factor-scan");
      await context.clearCookies();

      await logIn(page, peal.dashboardUrl, demo);
      await open("/members");
      await page.getByRole("table", { name: "Invitations" }).waitFor();
      await look("members");
      await page.getByRole("button", { name: "Invite" }).click();
      await page.getByRole("dialog").waitFor();
      await look("members-invite");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "More about dev-of-demo@example.com" }).click();
      await page.getByRole("menuitem", { name: "Transfer ownership" }).click();
      await page.getByRole("alertdialog").waitFor();
      await look("members-transfer");
      await page.keyboard.press("Escape");
      await open("/profile");
      await page.getByRole("heading", { name: "Email address" }).waitFor();
      await page.getByRole("button", { name: "Change password" }).click();
      await page.getByText("Use at least 8 characters.").waitFor();
      await look("profile");
      await open("/sessions");
      await page.getByRole("table", { name: "Sessions" }).waitFor();
      await look("sessions");
      await open("/two-factor");
      await page.getByRole("heading", { name: "Turn it on" }).waitFor();
      await look("two-factor-off");
      await open("/tokens");
      await page.getByRole("table", { name: "API tokens" }).waitFor();
      await look("tokens");
      await page.getByRole("button", { name: "Create token" }).click();
      await page.getByLabel("May do").selectOption("Chosen permissions");
      await look("tokens-create");
      await page.keyboard.press("Escape");
      expect(complaints).toEqual([]);
      await context.close();
    },
    120_000,
  );
});

test("members that are loading, and that cannot be loaded", async () => {
  const { page, context } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route("**/ListMembers", async (route) => {
    await held;
    await route.fulfill({
      status: 500,
      headers: { "content-type": "application/json", "x-request-id": "0192f0c1-request" },
      body: JSON.stringify({ code: "internal", message: "internal error" }),
    });
  });
  await page.goto(`${peal.dashboardUrl}/members`);
  await page.getByText("Loading members").waitFor({ state: "attached" });
  await check(page, "members-loading-1440-light", 1440);
  answer();
  await page.getByRole("heading", { name: "Could not load the members" }).waitFor();
  await page.getByText("0192f0c1-request").waitFor();
  await check(page, "members-error-1440-light", 1440);
  await context.close();
});
