import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import Pusher from "pusher";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fact, launch, logIn, signUp, visitor } from "./browser";
import { makeDataFolder, startPeal } from "./peal";

let browser: Browser;
let data: Awaited<ReturnType<typeof makeDataFolder>>;

beforeAll(async () => {
  [browser, data] = await Promise.all([launch(), makeDataFolder()]);
});
afterAll(async () => {
  await browser.close();
  await data.remove();
});

/** The official library, with nothing but what the page shows. */
async function serverFrom(page: Page): Promise<Pusher> {
  await page.getByRole("button", { name: /^Reveal secret/ }).click();
  await page.getByRole("button", { name: /^Hide secret/ }).waitFor();
  return new Pusher({
    appId: await fact(page, "App id"),
    key: await fact(page, "Key"),
    secret: await fact(page, "Secret"),
    host: await fact(page, "Host"),
    port: await fact(page, "Port"),
    useTLS: false,
  });
}

async function waitUntilLive(page: Page) {
  await page.getByRole("status", { name: "Connection" }).filter({ hasText: "Live" }).waitFor();
}

test("from nothing to the first event, and again after a restart", async () => {
  const owner = { email: "owner@example.com", password: "copper lantern 41 drifts", team: "Lantern works" };
  let peal = await startPeal(data.path);
  const { page, complaints } = await visitor(browser);

  await signUp(page, peal.dashboardUrl, owner);
  await page.getByRole("heading", { name: "Create your first app" }).waitFor();
  await page.getByLabel("Name").fill("Chat");
  await page.getByRole("button", { name: "Create app" }).click();

  await page.getByRole("heading", { name: "Get started" }).waitFor();
  await page.getByText("Waiting for your first event").waitFor();
  await waitUntilLive(page);
  // The first tab is of a library that only listens.
  await page.getByRole("tabpanel", { name: "pusher-js" }).getByText("This code listens.").waitFor();
  const server = await serverFrom(page);
  await server.trigger("my-channel", "my-event", { message: "struck once" });
  await page.getByText("Your first event arrived").waitFor();
  await page.getByText('"message": "struck once"').waitFor();

  await page.getByRole("button", { name: "Send a test event" }).click();
  await page.getByText("2 events arrived").waitFor();

  // What the copy button hands out has the real secret, also while the page shows dots.
  await page.getByRole("tab", { name: "Node" }).click();
  await page.getByRole("button", { name: /^Hide secret/ }).click();
  await page.getByRole("button", { name: "Copy publish.mjs" }).click();
  await page.getByRole("status").filter({ hasText: "Copied publish.mjs" }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toMatch(/secret: "[0-9a-z-]+"/);
  expect(await page.getByRole("tabpanel").innerText()).toContain("••••");

  // The script for curl works as it is copied.
  await page.getByRole("tab", { name: "curl" }).click();
  await page.getByRole("button", { name: "Copy publish.sh" }).click();
  await page.getByRole("status").filter({ hasText: "Copied publish.sh" }).waitFor();
  const script = await page.evaluate(() => navigator.clipboard.readText());
  await promisify(execFile)("bash", ["-euo", "pipefail", "-c", script]);
  await page.getByText('"message": "hello world"').waitFor();

  const address = new URL(page.url()).pathname;
  // Leave the page first: it would go on trying to reach the edge, and rightly complain.
  await page.goto(`${peal.dashboardUrl}/apps`);
  await page.getByRole("link", { name: "Chat" }).waitFor();
  expect(complaints).toEqual([]);
  await page.close();
  await peal.stop();

  peal = await startPeal(data.path);
  const { page: later, complaints: laterComplaints } = await visitor(browser);
  await logIn(later, peal.dashboardUrl, owner);
  await later.getByRole("link", { name: "Chat" }).click();
  await later.waitForURL(`**${address}`);
  await waitUntilLive(later);
  await (await serverFrom(later)).trigger("my-channel", "my-event", { message: "struck again" });
  await later.getByText('"message": "struck again"').waitFor();
  expect(laterComplaints).toEqual([]);
  await later.close();
  await peal.stop();
});
