import { mkdir } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import Pusher from "pusher";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp, fact, launch, logIn, signUp, visitor } from "./browser";
import { check, folder } from "./look";
import { demo, makeDataFolder, makeOperator, type Peal, startPeal } from "./peal";

const words = "copper lantern 41 drifts";
const longName = "A-name-of-sixty-characters-without-a-space-in-it-to-break.60";
const arabic = "فريق المحادثة المباشرة";

let browser: Browser;
let data: Awaited<ReturnType<typeof makeDataFolder>>;
let peal: Peal;

beforeAll(async () => {
  [browser, data] = await Promise.all([launch(), makeDataFolder(), mkdir(folder, { recursive: true })]);
  peal = await startPeal(data.path);
  await makeOperator(data.path, demo.email);
  for (const [email, team] of [
    [`${"a-rather-long-name-".repeat(3)}@mail.of-a-company.example.com`, longName],
    ["arabic@example.com", arabic],
    ["acme@example.com", "Acme"],
  ] as const) {
    const { page, context } = await visitor(browser);
    await signUp(page, peal.dashboardUrl, { email, password: words, team });
    await page.waitForURL("**/apps");
    await context.close();
  }
}, 120_000);
afterAll(async () => {
  await browser.close();
  await peal.stop();
  await data.remove();
});

const field = (page: Page, name: string) => page.getByRole("textbox", { name, exact: true });

async function createPlan(page: Page, id: string, name: string, limits: Record<string, string> = {}) {
  await page.goto(`${peal.dashboardUrl}/platform/new-plan`);
  await field(page, "Name").fill(name);
  await field(page, "Plan id").fill(id);
  for (const [limit, value] of Object.entries(limits)) await field(page, limit).fill(value);
  await page.getByRole("button", { name: "Create plan" }).click();
  await page.getByRole("table", { name: "Plans" }).getByRole("link", { name, exact: true }).waitFor();
}

test("a plan is made, changed, given to a tenant, and kept while it is in use", async () => {
  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Plans" }).click();
  await page.getByRole("heading", { name: "There are no plans yet" }).waitFor();
  await page.getByRole("link", { name: "Create plan" }).click();
  await page.getByRole("button", { name: "Create plan" }).click();
  await page.getByText("Enter an id.").waitFor();
  await field(page, "Name").fill("Starter");
  await field(page, "Plan id").fill("-Starter");
  await field(page, "Connections").fill("0");
  await field(page, "Event data").fill("99999999");
  await page.getByRole("button", { name: "Create plan" }).press("Enter");
  await page.getByText("Use a number from 1 to 1,048,576.").waitFor();
  await page.getByText("no hyphen first").waitFor();
  await field(page, "Plan id").fill("starter");
  await field(page, "Event data").fill("20,000");
  await page.getByRole("button", { name: "Create plan" }).press("Enter");
  const plans = page.getByRole("table", { name: "Plans" });
  await plans.getByRole("link", { name: "Starter", exact: true }).waitFor();

  // The same id again is refused by the server, and the message is at its field.
  await page.goto(`${peal.dashboardUrl}/platform/new-plan`);
  await field(page, "Name").fill("Another");
  await field(page, "Plan id").fill("starter");
  await page.getByRole("button", { name: "Create plan" }).click();
  await field(page, "Plan id").and(page.locator("[aria-invalid=true]")).waitFor();

  await page.getByRole("navigation", { name: "Breadcrumb" }).getByRole("link", { name: "Plans" }).click();
  // What was typed would be lost.
  await page
    .getByRole("alertdialog", { name: "Leave without saving?" })
    .getByRole("button", { name: "Leave" })
    .click();
  await plans.getByRole("link", { name: "Starter", exact: true }).click();
  await page.waitForURL("**/platform/plans/starter");
  expect(await field(page, "Connections").inputValue()).toBe("0");
  expect(await field(page, "Event data").inputValue()).toBe("20000");
  await field(page, "Connections").fill("250");
  await page.getByRole("button", { name: "Take event data out of the plan" }).click();
  await page.getByRole("switch", { name: "Given to new tenants" }).click();
  await page.getByRole("button", { name: "Save plan" }).click();
  await page.getByText("Plan saved").first().waitFor();
  await page.reload();
  await page.getByRole("switch", { name: "Given to new tenants", checked: true }).waitFor();
  expect(await field(page, "Connections").inputValue()).toBe("250");
  expect(await field(page, "Event data").inputValue()).toBe("");

  await page.goto(`${peal.dashboardUrl}/platform/tenants?q=${demo.email}`);
  const tenants = page.getByRole("table", { name: "Tenants" });
  await expect.poll(() => tenants.getByRole("link").count()).toBe(1);
  await tenants.getByRole("link").click();
  await page.getByLabel("Plan of this tenant").selectOption("starter");
  await page.getByRole("button", { name: "Change plan" }).click();
  await page.getByText("Demo has Starter now").first().waitFor();
  const tenantUrl = page.url();

  // Two sockets of the demo app, which the edge counts once it knows of a plan, and a plan that lets in one.
  await createPlan(page, "tiny", "Tiny", { Connections: "1" });
  const sockets = await visitor(browser);
  await sockets.page.goto(`${peal.dashboardUrl}/login`);
  await sockets.page.evaluate(
    (address) =>
      Promise.all(
        [1, 2].map(
          () =>
            new Promise<void>((resolve) => {
              new WebSocket(address).addEventListener("message", () => resolve());
            }),
        ),
      ),
    `${peal.edgeUrl.replace(/^http/, "ws")}/app/${peal.key}?protocol=7`,
  );
  await page.goto(tenantUrl);
  await page.getByRole("heading", { name: "Plan", exact: true }).waitFor();
  await page.getByLabel("Plan of this tenant").selectOption("tiny");
  await page.getByRole("button", { name: "Change plan" }).click();
  await page.getByText(/2 clients are connected, of all apps of the account together/).waitFor();
  expect(page.url()).toMatch(/platform\/tenants\/[0-9a-f-]{36}$/);
  await check(page, "platform-tenant-notice-1440-light", 1440, false);

  await page.goto(`${peal.dashboardUrl}/platform/plans/tiny`);
  const remove = page.getByRole("button", { name: "Delete plan" });
  await remove.press("Enter");
  expect(await page.getByRole("alertdialog").count()).toBe(0);
  expect(await remove.getAttribute("aria-disabled")).toBe("true");
  await page.getByRole("link", { name: "Show them" }).click();
  await page.waitForURL(/plan=tiny/);
  await tenants.getByRole("link").click();
  await page.getByLabel("Plan of this tenant").selectOption("");
  await page.getByRole("button", { name: "Change plan" }).click();
  await page.getByText("Plan changed").first().waitFor();
  await page.goto(`${peal.dashboardUrl}/platform/plans/tiny`);
  await remove.click();
  const dialog = page.getByRole("alertdialog", { name: "Delete this plan?" });
  await dialog.getByRole("textbox").fill("Tiny");
  await dialog.getByRole("button", { name: "Delete plan" }).click();
  await plans.waitFor();
  await expect.poll(() => plans.getByRole("link", { name: "Tiny", exact: true }).count()).toBe(0);
  expect(complaints).toEqual([]);
  await sockets.context.close();
  await context.close();
});

test("a tenant is suspended with a reason, which its members read, and resumed", async () => {
  const member = await visitor(browser);
  await logIn(member.page, peal.dashboardUrl, { email: "acme@example.com", password: words });
  const appId = await createApp(member.page, peal.dashboardUrl, "Shop");
  const [key, secret] = [await fact(member.page, "Key"), await revealed(member.page)];
  const { hostname, port } = new URL(peal.edgeUrl);
  const server = new Pusher({ appId, key, secret, host: hostname, port });
  const publish = () =>
    server.trigger("my-channel", "my-event", {}).then(
      ({ status }) => status,
      (error: unknown) => (error instanceof Pusher.RequestError ? error.status : undefined),
    );
  expect(await publish()).toBe(200);
  const closed = member.page.evaluate(
    (address) =>
      new Promise<number>((resolve, reject) => {
        const socket = new WebSocket(address);
        socket.addEventListener("close", ({ code }) => resolve(code));
        setTimeout(() => reject(new Error("the socket was not closed")), 60_000);
      }),
    `${peal.edgeUrl.replace(/^http/, "ws")}/app/${key}?protocol=7`,
  );

  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  await page.getByRole("link", { name: "Tenants" }).click();
  await page.getByRole("searchbox", { name: "Name, owner or id" }).fill("acme@");
  await page.waitForURL(/q=acme/);
  const table = page.getByRole("table", { name: "Tenants" });
  await expect.poll(() => table.getByRole("link").count()).toBe(1);
  await table.getByRole("link", { name: "Acme" }).press("Enter");
  await page.getByRole("button", { name: "Suspend tenant" }).click();
  await page.getByText("Say why: the members of the tenant will read it.").waitFor();
  await page.getByLabel("Reason").fill("The invoice of October is open.");
  await page.getByRole("button", { name: "Suspend tenant" }).press("Enter");
  const dialog = page.getByRole("alertdialog", { name: "Suspend this tenant?" });
  await dialog.getByText("The invoice of October is open.").waitFor();
  const confirm = dialog.getByRole("button", { name: "Suspend tenant" });
  expect(await confirm.getAttribute("aria-disabled")).toBe("true");
  await dialog.getByRole("textbox").fill("Acme");
  await dialog.getByRole("textbox").press("Enter");
  await page.getByText("Tenant suspended").first().waitFor();
  await page.getByRole("button", { name: "Resume tenant" }).waitFor();
  expect(await closed).toBe(4003);
  await expect.poll(publish).toBe(403);

  await member.page.goto(`${peal.dashboardUrl}/apps/${appId}/settings`);
  const banner = member.page.getByRole("region", { name: "This tenant is suspended" });
  await banner.getByText("The invoice of October is open.").waitFor();
  const disable = member.page.getByRole("button", { name: "Disable app" });
  await disable.waitFor();
  expect(
    await member.page.locator(`[id="${await disable.getAttribute("aria-describedby")}"]`).textContent(),
  ).toMatch(/^This tenant is suspended\./);

  await page.goto(`${peal.dashboardUrl}/platform/tenants`);
  await page.getByLabel("Status").selectOption("suspended");
  await page.waitForURL(/suspended=true/);
  await expect.poll(() => table.getByRole("link").count()).toBe(1);
  await page.getByRole("searchbox", { name: "Name, owner or id" }).fill("nobody");
  await page.getByRole("heading", { name: "No tenant matches" }).waitFor();
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await page.getByLabel("Status").selectOption("suspended");
  await table.getByRole("link", { name: "Acme" }).click();
  await page.getByRole("button", { name: "Resume tenant" }).click();
  await page.getByText("Tenant resumed").first().waitFor();
  await page.getByRole("button", { name: "Suspend tenant" }).waitFor();
  await expect.poll(publish).toBe(200);
  await member.page.reload();
  await disable.waitFor();
  expect(await banner.count()).toBe(0);

  // Who is no operator sees neither the pages nor the way there.
  expect(await member.page.getByRole("link", { name: "Tenants" }).count()).toBe(0);
  await member.page.goto(`${peal.dashboardUrl}/platform/plans`);
  await member.page.getByRole("heading", { name: "This is for operators of the platform" }).waitFor();
  await check(member.page, "platform-refused-1440-light", 1440);
  expect(complaints).toEqual([]);
  expect(member.complaints).toEqual([]);
  await member.context.close();
  await context.close();
});

async function revealed(page: Page): Promise<string> {
  await page
    .getByRole("button", { name: /^Reveal/ })
    .first()
    .click();
  await expect.poll(() => fact(page, "Secret")).toMatch(/^[0-9a-f]+$/);
  return fact(page, "Secret");
}

const screens = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

describe.each(["light", "dark"] as const)("%s", (theme) => {
  test.each(screens)("the pages of operators, $width wide", async (viewport) => {
    const options = { viewport, colorScheme: theme, deviceScaleFactor: viewport.width < 500 ? 2 : 1 };
    const { page, context, complaints } = await visitor(browser, options);
    const withAxe = (theme === "light") === (viewport.width === screens[0]?.width);
    const look = (what: string) =>
      check(page, `platform-${what}-${viewport.width}-${theme}`, viewport.width, withAxe);
    await logIn(page, peal.dashboardUrl, demo);
    const plan = `long-${theme}-${viewport.width}`;
    await createPlan(page, plan, `${arabic} ${viewport.width} ${theme}`);
    await page.getByText("Plan created").first().waitFor({ state: "detached" });
    await look("plans");
    await page.goto(`${peal.dashboardUrl}/platform/plans/${plan}`);
    await page.getByRole("heading", { name: "Delete this plan" }).waitFor();
    await look("plan");
    await page.getByRole("button", { name: "Delete plan" }).scrollIntoViewIfNeeded();
    await look("plan-end");
    await page.goto(`${peal.dashboardUrl}/platform/new-plan`);
    await page.getByRole("button", { name: "Create plan" }).click();
    await page.getByText("Enter an id.").waitFor();
    await look("new-plan-errors");
    await page.goto(`${peal.dashboardUrl}/platform/tenants`);
    const table = page.getByRole("table", { name: "Tenants" });
    await table.waitFor();
    await look("tenants");
    await page.goto(`${peal.dashboardUrl}/platform/tenants?q=walrus&suspended=true`);
    await page.getByRole("heading", { name: "No tenant matches" }).waitFor();
    await look("tenants-no-match");
    await page.goto(`${peal.dashboardUrl}/platform/tenants?q=sixty`);
    await table.getByRole("link", { name: longName }).click();
    await page.getByLabel("Reason").fill("The invoice of October is open.");
    await look("tenant");
    await page.getByRole("button", { name: "Suspend tenant" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByRole("textbox").fill(longName);
    await look("suspend");
    await dialog.getByRole("button", { name: "Suspend tenant" }).click();
    await page.getByRole("button", { name: "Resume tenant" }).waitFor();
    await page.getByText("Tenant suspended").first().waitFor({ state: "detached" });
    await look("tenant-suspended");
    await page.getByRole("button", { name: "Resume tenant" }).click();
    await page.getByRole("button", { name: "Suspend tenant" }).waitFor();
    await page.goto(`${peal.dashboardUrl}/platform/tenants/00000000-0000-4000-8000-000000000000`);
    await page.getByRole("heading", { name: "No such tenant" }).last().waitFor();
    await page.goto(`${peal.dashboardUrl}/platform/plans/none`);
    await page.getByRole("heading", { name: "No such plan" }).last().waitFor();
    await look("plan-missing");
    expect(complaints).toEqual([]);
    await context.close();

    // As a member of a suspended tenant.
    const operator = await visitor(browser);
    await logIn(operator.page, peal.dashboardUrl, demo);
    await operator.page.goto(`${peal.dashboardUrl}/platform/tenants?q=arabic`);
    await operator.page.getByRole("table", { name: "Tenants" }).getByRole("link").click();
    await operator.page
      .getByLabel("Reason")
      .fill(`An open invoice. ${"Pay it, or write to billing. ".repeat(6)}`);
    await operator.page.getByRole("button", { name: "Suspend tenant" }).click();
    await operator.page.getByRole("alertdialog").getByRole("textbox").fill(arabic);
    await operator.page.getByRole("alertdialog").getByRole("button", { name: "Suspend tenant" }).click();
    const resume = operator.page.getByRole("button", { name: "Resume tenant" });
    await resume.waitFor();
    const member = await visitor(browser, options);
    await logIn(member.page, peal.dashboardUrl, { email: "arabic@example.com", password: words });
    await member.page.getByRole("region", { name: "This tenant is suspended" }).waitFor();
    await check(member.page, `suspended-${viewport.width}-${theme}`, viewport.width, withAxe);
    await member.context.close();
    await resume.click();
    await operator.page.getByRole("button", { name: "Suspend tenant" }).waitFor();
    await operator.context.close();
  });
});

test("the lists of operators while they load and when they fail", async () => {
  const { page, context } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  for (const [what, path, call] of [
    ["tenants", "tenants", "ListTenants"],
    ["plans", "plans", "ListPlans"],
    ["tenant", "tenants/00000000-0000-4000-8000-000000000000", "GetTenant"],
  ] as const) {
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route(`**/${call}`, async (route) => {
      await held;
      await route.fulfill({
        status: 500,
        headers: { "content-type": "application/json", "x-request-id": "0192f0c1-request" },
        body: JSON.stringify({ code: "internal", message: "internal error" }),
      });
    });
    await page.goto(`${peal.dashboardUrl}/platform/${path}`);
    await page.getByText(`Loading ${what === "tenant" ? "the tenant" : what}`).waitFor({ state: "attached" });
    await check(page, `platform-${what}-loading-1440-light`, 1440);
    answer();
    await page.getByRole("heading", { name: /^Could not load/ }).waitFor();
    await page.getByText("0192f0c1-request").waitFor();
    await check(page, `platform-${what}-error-1440-light`, 1440);
    await page.unroute(`**/${call}`);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: /^Could not load/ }).waitFor({ state: "detached" });
  }
  await context.close();
});

test("more tenants than a page are loaded by a press", async () => {
  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  // The server gives pages of two: what the page asks for is changed on its way, and nothing else.
  await page.route("**/ListTenants", async (route) => {
    const asked: unknown = route.request().postDataJSON();
    await route.continue({ postData: JSON.stringify({ ...Object(asked), pageSize: 2 }) });
  });
  await page.goto(`${peal.dashboardUrl}/platform/tenants`);
  const links = page.getByRole("table", { name: "Tenants" }).getByRole("link");
  await expect.poll(() => links.count()).toBe(2);
  await page.getByText("2+ tenants").waitFor();
  await page.getByRole("button", { name: "Load more" }).press("Enter");
  await expect.poll(() => links.count()).toBe(4);
  const names = await links.allInnerTexts();
  expect(new Set(names).size).toBe(4);
  expect(names).toEqual(expect.arrayContaining([longName, arabic, "Acme"]));
  expect(complaints).toEqual([]);
  await context.close();
});
