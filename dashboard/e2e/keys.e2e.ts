import type { Browser } from "playwright-core";
import Pusher from "pusher";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp, fact, launch, logIn, visitor } from "./browser";
import { demo, makeDataFolder, type Peal, startPeal } from "./peal";

let browser: Browser;
let data: Awaited<ReturnType<typeof makeDataFolder>>;
let peal: Peal;

beforeAll(async () => {
  [browser, data] = await Promise.all([launch(), makeDataFolder()]);
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

  await page.getByText("The edge refused the connection with code 4001").waitFor({ timeout: 5000 });
  expect(await live.innerText()).toBe("Refused");
  await expect(server.trigger("my-channel", "my-event", "after")).rejects.toMatchObject({ status: 401 });

  await page.getByRole("button", { name: "Connect again" }).click();
  await live.filter({ hasText: "Live" }).waitFor();
  expect(await fact(page, "Key")).not.toBe(oldKey);
  // pusher-js itself warns about the code it was closed with; that is all.
  expect(complaints.filter((text) => !text.includes("4001"))).toEqual([]);
  await context.close();
});

test("without an active key, get started says so and leads to the keys", async () => {
  const { page, context } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  const appId = await createApp(page, peal.dashboardUrl, "Keyless");
  await page.goto(`${peal.dashboardUrl}/apps/${appId}/keys`);
  await page.getByRole("button", { name: /^Revoke key/ }).click();
  const dialog = page.getByRole("alertdialog");
  expect(await dialog.innerText()).toContain("It is the only active key");
  await dialog.getByRole("button", { name: "Revoke key" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Get started" }).click();
  await page.getByRole("heading", { name: "This app has no active key" }).waitFor();
  await page.getByRole("link", { name: "Go to keys" }).click();
  await page.waitForURL("**/keys");
  await context.close();
});
