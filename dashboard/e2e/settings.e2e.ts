import type { Browser, Page } from "playwright-core";
import Pusher from "pusher";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp, launch, logIn, visitor } from "./browser";
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

async function save(page: Page, what: string, said: string) {
  await page.getByRole("button", { name: what }).click();
  await page.getByText(said).first().waitFor();
}

/** The message that a screen reader would read for a field, once the field is marked. */
async function messageAt(page: Page, label: string): Promise<string> {
  const field = page
    .getByRole("textbox", { name: label, exact: true })
    .and(page.locator("[aria-invalid=true]"));
  await field.waitFor();
  return page.locator(`[id="${await field.getAttribute("aria-describedby")}"]`).innerText();
}

test("a feature, an origin, rules and a limit are changed and stay so", async () => {
  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  const id = await createApp(page, peal.dashboardUrl, "Settled");
  const address = `${peal.dashboardUrl}/apps/${id}/settings`;
  await page.goto(address);
  const watchlist = page.getByRole("switch", { name: "Watchlist" });
  await watchlist.click();
  await save(page, "Save features", "Features saved");

  await page.getByText("No list: the pages of every site may connect").waitFor();
  await page.getByRole("button", { name: "Add origin" }).click();
  await page.getByRole("textbox", { name: "Origin 1" }).fill("app.example.com");
  await page.getByRole("button", { name: "Save origins" }).click();
  expect(await messageAt(page, "Origin 1")).toMatch(/not an origin; write it as https:\/\/example\.com/);
  await page.getByRole("textbox", { name: "Origin 1" }).fill("HTTPS://*.Example.com/");
  const tester = page.getByLabel("Try an origin");
  await tester.fill("https://app.example.com");
  await tester.press("Enter");
  await page.getByText("Let in by https://*.example.com.").waitFor();
  await tester.fill("https://a.b.example.com");
  await page.getByRole("button", { name: "Try", exact: true }).click();
  await page.getByText("Kept out: no entry of the list fits it.").waitFor();
  await tester.fill("example.com");
  await tester.press("Enter");
  expect(await messageAt(page, "Try an origin")).toMatch(/not an origin/);
  await save(page, "Save origins", "Allowed origins saved");
  expect(await page.getByRole("textbox", { name: "Origin 1" }).inputValue()).toBe("https://*.example.com");

  await page.getByText("No channel has a log").waitFor();
  const rule = (part: string, number: number) =>
    page.getByRole("textbox", { name: `${part} of rule ${number}`, exact: true });
  await page.getByRole("button", { name: "Add rule" }).click();
  await rule("Pattern", 1).fill("orders-*");
  await rule("Time", 1).fill("90 min");
  await page.getByRole("button", { name: "Add rule" }).click();
  await rule("Pattern", 2).fill("orders-*");
  await page.getByRole("button", { name: "Save rules" }).click();
  expect(await messageAt(page, "Pattern of rule 2")).toMatch(/^Is also that of rule 1/);
  await rule("Pattern", 2).fill("orders-vip-**");
  await rule("Messages", 2).fill("10,000");
  await page.getByRole("button", { name: "Move rule 2 up" }).press("Enter");
  await page.getByRole("button", { name: "Move rule 1 up" }).and(page.locator(":focus")).waitFor();
  await save(page, "Save rules", "Channel rules saved");

  const size = page.getByRole("textbox", { name: "Event data" });
  expect(await size.getAttribute("placeholder")).toBe("Default: 10,240");
  await size.fill("2000000");
  await page.getByRole("button", { name: "Save limits" }).click();
  expect(await messageAt(page, "Event data")).toBe("Use a number from 1 to 1,048,576.");
  await size.fill("20,000");
  await save(page, "Save limits", "Limits saved");

  await page.reload();
  await page.getByRole("switch", { name: "Watchlist", checked: true }).waitFor();
  expect(await page.getByRole("textbox", { name: "Origin 1" }).inputValue()).toBe("https://*.example.com");
  expect(await rule("Pattern", 1).inputValue()).toBe("orders-vip-*");
  expect(await rule("Messages", 1).inputValue()).toBe("10000");
  expect(await rule("Pattern", 2).inputValue()).toBe("orders-*");
  expect(await rule("Time", 2).inputValue()).toBe("1 h 30 min");
  expect(await size.inputValue()).toBe("20000");
  await page.getByRole("button", { name: "Reset event data to its default" }).click();
  await save(page, "Save limits", "Limits saved");
  await page.reload();
  await size.waitFor();
  expect(await size.inputValue()).toBe("");
  expect(complaints).toEqual([]);
  await context.close();
});

test("a page with changes asks before it is left", async () => {
  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  const id = await createApp(page, peal.dashboardUrl, "Unsaved");
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("switch", { name: "Compression" }).click();
  const keys = page.getByRole("link", { name: "Keys", exact: true });
  await keys.click();
  const dialog = page.getByRole("alertdialog", { name: "Leave without saving?" });
  await dialog.getByText("Features").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  expect(new URL(page.url()).pathname).toBe(`/apps/${id}/settings`);
  await page.getByRole("switch", { name: "Compression", checked: true }).waitFor();
  await keys.click();
  await dialog.getByRole("button", { name: "Leave" }).click();
  await page.getByRole("table", { name: "Keys" }).waitFor();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("switch", { name: "Compression", checked: false }).waitFor();

  // Who deletes an app has no use for its unsaved settings.
  await page.getByRole("switch", { name: "Compression" }).click();
  await page.getByRole("button", { name: "Delete app" }).click();
  await page.getByRole("alertdialog").getByRole("textbox").fill("Unsaved");
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete app" }).click();
  await page.waitForURL("**/apps");
  expect(complaints).toEqual([]);
  await context.close();
});

test("an app is disabled, which closes its sockets, and enabled again", async () => {
  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  await page.goto(`${peal.dashboardUrl}/apps/${peal.appId}/settings`);
  await page.getByRole("button", { name: "Disable app" }).waitFor();
  const { hostname, port } = new URL(peal.edgeUrl);
  const server = new Pusher({ appId: peal.appId, key: peal.key, secret: peal.secret, host: hostname, port });
  const publish = () =>
    server.trigger("my-channel", "my-event", {}).then(
      ({ status }) => status,
      (error: unknown) => (error instanceof Pusher.RequestError ? error.status : undefined),
    );
  const closed = page.evaluate(
    (address) =>
      new Promise<number>((resolve, reject) => {
        const socket = new WebSocket(address);
        socket.addEventListener("close", ({ code }) => resolve(code));
        setTimeout(() => reject(new Error("the socket was not closed")), 10_000);
      }),
    `${peal.edgeUrl.replace(/^http/, "ws")}/app/${peal.key}?protocol=7`,
  );
  await page.getByRole("button", { name: "Disable app" }).click();
  const dialog = page.getByRole("alertdialog", { name: "Disable this app?" });
  await dialog.getByText("code 4003").waitFor();
  await dialog.getByRole("button", { name: "Disable app" }).click();
  await page.getByText("App disabled").first().waitFor();
  expect(await closed).toBe(4003);
  expect(await publish()).toBe(403);
  await page.getByRole("heading", { name: "Enable this app" }).waitFor();
  await page.getByRole("button", { name: "Enable app" }).click();
  await page.getByText("App enabled").first().waitFor();
  await page.getByRole("button", { name: "Disable app" }).waitFor();
  await expect.poll(publish).toBe(200);
  expect(complaints).toEqual([]);
  await context.close();
});
