import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, visitor } from "./browser";
import { makeDataFolder, type Peal, startPeal } from "./peal";

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

/** Tab until the focus is on the control with this name; it must be seen to be there. */
async function tabTo(page: Page, role: "button" | "link" | "tab" | "textbox", name: string | RegExp) {
  const target = page.getByRole(role, { name }).filter({ visible: true }).first();
  await target.waitFor();
  for (let steps = 0; steps < 60; steps += 1) {
    if (await target.evaluate((node) => node === document.activeElement)) {
      const outline = await target.evaluate((node) => getComputedStyle(node).outlineStyle);
      expect(outline, `visible focus on ${String(name)}`).not.toBe("none");
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`the keyboard does not reach ${role} ${String(name)}`);
}

test("from sign-up to a sent event and out again without a pointer", async () => {
  const { page, context, complaints } = await visitor(browser);
  const { keyboard } = page;
  await page.goto(`${peal.dashboardUrl}/signup`);
  await page.getByRole("heading", { name: "Sign up" }).waitFor();
  await tabTo(page, "textbox", "Email");
  await keyboard.type("keys@example.com");
  await keyboard.press("Tab");
  await keyboard.type("copper lantern 41 drifts");
  await tabTo(page, "textbox", "Team or company name");
  await keyboard.type("Hands off");
  await keyboard.press("Enter");

  await page.getByRole("heading", { name: "Create your first app" }).waitFor();
  await tabTo(page, "textbox", "Name");
  await keyboard.type("By hand");
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "Get started" }).waitFor();
  await page.getByRole("status", { name: "Connection" }).filter({ hasText: "Live" }).waitFor();

  await tabTo(page, "tab", "pusher-js");
  await keyboard.press("ArrowRight");
  await page.getByRole("tab", { name: "Node", selected: true }).waitFor();
  await tabTo(page, "button", "Send a test event");
  await keyboard.press("Enter");
  await page.getByText("Your first event arrived").waitFor();

  await keyboard.press("p");
  await page.getByRole("button", { name: "Resume (P)" }).waitFor();
  await keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await keyboard.press("Escape");

  await keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Go to or do" }).waitFor();
  await keyboard.type("keys");
  await keyboard.press("Enter");
  await page.waitForURL("**/keys");
  await tabTo(page, "button", /^Revoke key/);
  await keyboard.press("Enter");
  await page.getByRole("alertdialog").waitFor();
  await keyboard.press("Escape");
  await page.getByRole("alertdialog").waitFor({ state: "detached" });

  await keyboard.press("Control+k");
  await keyboard.type("page apps");
  await keyboard.press("Enter");
  await page.getByRole("table", { name: "Apps" }).waitFor();
  await keyboard.press("/");
  await keyboard.type("nothing like it");
  await page.getByRole("heading", { name: "No app matches" }).waitFor();

  // Pressed while the page is still loading, the palette opens as soon as it can.
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route("**/WhoAmI", async (route) => {
    await held;
    await route.continue();
  });
  await page.reload();
  await keyboard.press("Control+k");
  answer();
  await page.getByRole("combobox", { name: "Go to or do" }).waitFor();
  await page.unroute("**/WhoAmI");
  await keyboard.press("Escape");
  await page.getByRole("combobox", { name: "Go to or do" }).waitFor({ state: "detached" });

  await keyboard.press("Control+k");
  await keyboard.type("log out");
  await keyboard.press("Enter");
  await page.waitForURL("**/login");
  expect(complaints).toEqual([]);
  await context.close();
});
