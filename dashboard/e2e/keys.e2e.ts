import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import Pusher from "pusher";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp, fact, launch, logIn, visitor } from "./browser";
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
  await keys.getByRole("button", { name: "Create key" }).click();
  await expect.poll(() => keys.getByText("Active").filter({ visible: true }).count()).toBe(2);

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
  await dialog.getByRole("button", { name: "Revoke key" }).click();
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
  expect(await dialog.innerText()).toContain("It is the only active key");
  await dialog.getByRole("button", { name: "Revoke key" }).click();
  await dialog.waitFor({ state: "detached" });

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
