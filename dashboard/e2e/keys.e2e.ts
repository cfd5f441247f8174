import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import Pusher from "pusher";
import { afterAll, beforeAll, expect, test } from "vitest";
import { confirmRevoke, createApp, createKey, fact, launch, logIn, visitor } from "./browser";
import { demo, makeDataFolder, type Peal, startPeal } from "./peal";

const folder = fileURLToPath(new URL("../screenshots", import.meta.url));

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

test("a revoked key ends its sockets and its requests; a new one takes over", async () => {
  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  const appId = await createApp(page, peal.dashboardUrl, "Rotation");
  const live = page.getByRole("status", { name: "Connection" });
  await live.filter({ hasText: "Live" }).waitFor();
  const oldKey = await fact(page, "Key");

  const keys = await context.newPage();
  await keys.goto(`${peal.dashboardUrl}/apps/${appId}/keys`);
  await createKey(keys);
  await expect
    .poll(() => keys.getByText("Active", { exact: true }).filter({ visible: true }).count())
    .toBe(2);

  const oldRow = keys.getByRole("row").filter({ hasText: oldKey });
  await oldRow.getByRole("button", { name: /^Reveal secret/ }).click();
  await oldRow.getByRole("button", { name: /^Hide secret/ }).waitFor();
  const secret = await oldRow.locator("code").filter({ visible: true }).nth(1).innerText();
  const { hostname, port } = new URL(peal.edgeUrl);
  const server = new Pusher({ appId, key: oldKey, secret, host: hostname, port, useTLS: false });
  expect((await server.trigger("my-channel", "my-event", "before")).status).toBe(200);

  await oldRow.getByRole("button", { name: /^Revoke key/ }).click();
  const dialog = keys.getByRole("alertdialog", { name: "Revoke this key?" });
  expect(await dialog.innerText()).toContain("Within a second");
  expect(await dialog.getByRole("button", { name: "Revoke key" }).getAttribute("aria-disabled")).toBe("true");
  await confirmRevoke(keys);
  await oldRow.getByText("Revoked", { exact: true }).filter({ visible: true }).waitFor();

  // What works stands above what does not.
  expect(await keys.getByRole("row").last().innerText()).toContain(oldKey);

  // The tab that was open all the while goes over to the other key by itself, and says so.
  await page.getByText("The key was revoked", { exact: true }).waitFor({ timeout: 5000 });
  await live.filter({ hasText: "Live" }).waitFor();
  expect(await fact(page, "Key")).not.toBe(oldKey);
  expect(await page.getByRole("tabpanel").innerText()).not.toContain(oldKey);
  await page.getByRole("button", { name: "Send a test event" }).click();
  await page.getByText("Your first event arrived").waitFor();
  await expect(server.trigger("my-channel", "my-event", "after")).rejects.toMatchObject({ status: 401 });

  // pusher-js itself warns about the code it was closed with; that is all.
  expect(complaints.filter((text) => !text.includes("4001"))).toEqual([]);
  await context.close();
});

test("a key is rotated: both work until the old one is revoked, or it is kept", async () => {
  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  const appId = await createApp(page, peal.dashboardUrl, "Overlap");
  await page.goto(`${peal.dashboardUrl}/apps/${appId}/keys`);
  await page.getByRole("button", { name: /^Rotate key/ }).click();
  const dialog = page.getByRole("dialog", { name: "Rotate this key" });
  const overlap = dialog.getByLabel("The old key works on for");
  expect(await overlap.inputValue()).toBe(String(24 * 3600));
  await overlap.selectOption("Not at all");
  await dialog.getByText("Within a second").waitFor();
  await overlap.selectOption("7 days");
  await dialog.getByText("Until").waitFor();
  await dialog.getByRole("button", { name: "Rotate key" }).click();
  await dialog.waitFor({ state: "detached" });

  const shown = (text: string) => page.getByText(text, { exact: true }).filter({ visible: true });
  await shown("Retiring").waitFor();
  const [fresh, old] = [page.getByRole("row").nth(1), page.getByRole("row").nth(2)];
  expect(await fresh.innerText()).toContain("Active");
  expect(await old.innerText()).toMatch(/ends in [67] days/);
  const { hostname, port } = new URL(peal.edgeUrl);
  for (const row of [fresh, old]) {
    const key = await row.locator("code").filter({ visible: true }).first().innerText();
    await row.getByRole("button", { name: /^Reveal secret/ }).click();
    await row.getByRole("button", { name: /^Hide secret/ }).waitFor();
    const secret = await row.locator("code").filter({ visible: true }).nth(1).innerText();
    const server = new Pusher({ appId, key, secret, host: hostname, port, useTLS: false });
    expect((await server.trigger("my-channel", "my-event", "x")).status).toBe(200);
  }
  // Its use is told after a while, without a reload.
  await expect.poll(() => fresh.innerText(), { timeout: 90_000, interval: 1000 }).not.toContain("Never");

  await old.getByRole("button", { name: /^Keep key/ }).click();
  await shown("Retiring").waitFor({ state: "detached" });
  expect(await shown("Active").count()).toBe(2);
  expect(complaints).toEqual([]);
  await context.close();
}, 150_000);

test("a key for publishing alone publishes, and is refused everything else by name", async () => {
  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  const appId = await createApp(page, peal.dashboardUrl, "Scopes");
  await page.goto(`${peal.dashboardUrl}/apps/${appId}/keys`);
  await page.getByRole("button", { name: "Create key" }).click();
  const dialog = page.getByRole("dialog", { name: "Create a key" });
  await dialog.getByLabel("Label").fill("Billing");
  const create = dialog.getByRole("button", { name: "Create key" });
  for (const name of ["Publish", "Subscribe", "Query"]) await dialog.getByRole("switch", { name }).click();
  expect(await create.getAttribute("aria-disabled")).toBe("true");
  await dialog.getByRole("switch", { name: "Publish" }).click();
  await create.click();
  await dialog.waitFor({ state: "detached" });

  const row = page.getByRole("row").filter({ hasText: "Billing" });
  expect(await row.innerText()).toContain("Publish");
  const key = await row.locator("code").filter({ visible: true }).first().innerText();
  await row.getByRole("button", { name: /^Reveal secret/ }).click();
  await row.getByRole("button", { name: /^Hide secret/ }).waitFor();
  const secret = await row.locator("code").filter({ visible: true }).nth(1).innerText();
  const { hostname, port } = new URL(peal.edgeUrl);
  const server = new Pusher({ appId, key, secret, host: hostname, port, useTLS: false });
  expect((await server.trigger("my-channel", "my-event", "x")).status).toBe(200);
  await expect(server.get({ path: "/channels", params: {} })).rejects.toMatchObject({
    status: 403,
    body: expect.stringContaining("needs query and has publish"),
  });

  await row.getByRole("button", { name: /^Revoke key/ }).click();
  const question = page.getByRole("alertdialog", { name: "Revoke this key?" });
  expect(await question.innerText()).toContain("Type Billing to confirm");
  expect(await question.innerText()).not.toContain("the only key");
  await confirmRevoke(page);
  expect(complaints).toEqual([]);
  await context.close();
});

test("without an active key, get started says so and leads to the keys", async () => {
  const { page, context } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  const appId = await createApp(page, peal.dashboardUrl, "Keyless");
  const start = await context.newPage();
  await start.goto(page.url());
  await start.getByRole("status", { name: "Connection" }).filter({ hasText: "Live" }).waitFor();
  await page.goto(`${peal.dashboardUrl}/apps/${appId}/keys`);
  await page.getByRole("button", { name: /^Revoke key/ }).click();
  const dialog = page.getByRole("alertdialog");
  expect(await dialog.innerText()).toContain("It is the only key that works");
  await confirmRevoke(page);

  await start.getByRole("heading", { name: "This app has no active key" }).waitFor({ timeout: 5000 });
  await start.getByRole("link", { name: "Go to keys" }).waitFor();
  expect(await start.getByRole("button", { name: "Send a test event" }).count()).toBe(0);
  await start.screenshot({ path: `${folder}/start-keyless-1440-light.png` });

  await page.getByRole("link", { name: "Get started" }).click();
  await page.getByRole("heading", { name: "This app has no active key" }).waitFor();
  await page.getByRole("link", { name: "Go to keys" }).click();
  await page.waitForURL("**/keys");
  await context.close();
});

test("a refusal of a key that seems active stands in place of waiting, and leads to the keys", async () => {
  const { page, context } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  await page.routeWebSocket(/\/app\//, (socket) => {
    const data = { code: 4001, message: "no app has this key" };
    socket.send(JSON.stringify({ event: "pusher:error", data }));
    void socket.close({ code: 4001, reason: data.message });
  });
  await page.goto(`${peal.dashboardUrl}/apps/${peal.appId}/start`);
  await page.getByText("The edge refused the connection with code 4001").waitFor();
  expect(await page.getByText("Waiting for your first event").count()).toBe(0);
  const send = page.getByRole("button", { name: "Send a test event" });
  expect(await send.getAttribute("aria-disabled")).toBe("true");
  await page.screenshot({ path: `${folder}/start-refused-1440-light.png` });
  await page.getByRole("link", { name: "Go to keys" }).click();
  await page.waitForURL("**/keys");
  await context.close();
});

test("keys fit a screen of 320 pixels", async () => {
  const { page, context } = await visitor(browser, {
    viewport: { width: 320, height: 640 },
    deviceScaleFactor: 2,
  });
  await logIn(page, peal.dashboardUrl, demo);
  const appId = await createApp(page, peal.dashboardUrl, "Narrow");
  await page.goto(`${peal.dashboardUrl}/apps/${appId}/keys`);
  const table = page.getByRole("table", { name: "Keys" });
  const isCut = () =>
    table.evaluate(({ parentElement: frame }) => frame && frame.scrollWidth > frame.clientWidth);
  await table.waitFor();
  expect(await isCut()).toBe(false);
  await page.getByRole("button", { name: /^Reveal secret/ }).click();
  await page.getByRole("button", { name: /^Hide secret/ }).waitFor();
  await page.screenshot({ path: `${folder}/keys-320-light.png` });
  expect(await isCut()).toBe(false);
  const frame = await table.boundingBox();
  const revoke = await page.getByRole("button", { name: /^Revoke key/ }).boundingBox();
  expect((revoke?.x ?? 320) + (revoke?.width ?? 0)).toBeLessThanOrEqual(
    (frame?.x ?? 0) + (frame?.width ?? 0),
  );
  await context.close();
});
