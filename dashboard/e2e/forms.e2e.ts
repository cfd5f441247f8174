import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp, launch, logIn, signUp, visitor } from "./browser";
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

/** The message that a screen reader would read for a field, once the field is marked. */
async function messageAt(page: Page, label: string): Promise<string> {
  const field = page.getByLabel(label, { exact: true }).and(page.locator("[aria-invalid=true]"));
  await field.waitFor();
  const id = await field.getAttribute("aria-describedby");
  return page.locator(`[id="${id}"]`).innerText();
}

test("a wrong password", async () => {
  const { page, context } = await visitor(browser);
  await page.goto(`${peal.dashboardUrl}/login`);
  await page.getByLabel("Email").fill(demo.email);
  await page.getByLabel("Password", { exact: true }).fill("not the password");
  await page.getByRole("button", { name: "Log in" }).click();
  expect(await messageAt(page, "Password")).toBe("Email or password is wrong.");
  expect(page.url()).toBe(`${peal.dashboardUrl}/login`);
  await context.close();
});

test("sign-up: a taken email, a weak password, a malformed email, no name", async () => {
  const { page, context } = await visitor(browser);
  const good = { email: "new@example.com", password: "copper lantern 41 drifts", team: "Works" };

  await signUp(page, peal.dashboardUrl, { ...good, email: demo.email });
  expect(await messageAt(page, "Email")).toMatch(/account|taken|use/);

  await signUp(page, peal.dashboardUrl, { ...good, password: "short" });
  expect(await messageAt(page, "Password")).toBe("Use at least 8 characters.");
  await signUp(page, peal.dashboardUrl, { ...good, password: "password123" });
  expect(await messageAt(page, "Password")).toMatch(/guess/);

  await signUp(page, peal.dashboardUrl, { ...good, email: "nobody", team: "   " });
  expect(await messageAt(page, "Email")).toBe("Enter an address like name@example.com.");
  expect(await messageAt(page, "Team or company name")).toBe("Enter a name.");
  await context.close();
});

test("app names: only spaces, too long, taken, in any script", async () => {
  const { page, context } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  const long = "n".repeat(60);
  await createApp(page, peal.dashboardUrl, long);
  await createApp(page, peal.dashboardUrl, "فريق المحادثة");

  await page.goto(`${peal.dashboardUrl}/apps/new`);
  const name = page.getByLabel("Name");
  const create = page.getByRole("button", { name: "Create app" });
  await name.fill("    ");
  await create.click();
  expect(await messageAt(page, "Name")).toBe("Enter a name.");
  await name.fill(`${long}nn`);
  expect(await messageAt(page, "Name")).toBe("Use at most 60 characters; this is 2 over.");
  await name.fill(long);
  await create.click();
  await page.getByText(/taken|another app|already/i).waitFor();
  expect(await messageAt(page, "Name")).toMatch(/name/);
  expect(new URL(page.url()).pathname).toBe("/apps/new");
  await context.close();
});

test("rename an app, then delete it by typing its name", async () => {
  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  const id = await createApp(page, peal.dashboardUrl, "Short-lived");
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByLabel("App name").fill("Renamed");
  await page.getByRole("button", { name: "Save name" }).click();
  await page.getByRole("navigation", { name: "Breadcrumb" }).getByText("Renamed").waitFor();

  await page.getByRole("button", { name: "Delete app" }).click();
  const dialog = page.getByRole("alertdialog");
  const confirm = dialog.getByRole("button", { name: "Delete app" });
  expect(await confirm.getAttribute("aria-disabled")).toBe("true");
  await dialog.getByRole("textbox").fill("Renamed");
  await confirm.click();
  await page.waitForURL("**/apps");
  await page.getByRole("table", { name: "Apps" }).waitFor();
  expect(await page.getByRole("link", { name: "Renamed" }).count()).toBe(0);
  await page.goto(`${peal.dashboardUrl}/apps/${id}/keys`);
  await page.getByRole("heading", { name: "No such app" }).first().waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test("a page behind the login comes back after it, and nothing else does", async () => {
  const { page, context } = await visitor(browser);
  await page.goto(`${peal.dashboardUrl}/apps/${peal.appId}/keys`);
  await page.waitForURL("**/login?next=*");
  await page.getByLabel("Email").fill(demo.email);
  await page.getByLabel("Password", { exact: true }).fill(demo.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(`**/apps/${peal.appId}/keys`);

  await page.getByRole("table", { name: "Keys" }).waitFor();
  // The session ends behind the page's back.
  await context.clearCookies();
  await page.getByRole("button", { name: "Create key" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await page.waitForURL("**/login?next=*");

  await context.clearCookies();
  await page.goto(`${peal.dashboardUrl}/login?next=%2F%2Fexample.com`);
  await page.getByLabel("Email").fill(demo.email);
  await page.getByLabel("Password", { exact: true }).fill(demo.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(`${peal.dashboardUrl}/apps`);

  // Who is signed in has no use for the form.
  await page.goto(`${peal.dashboardUrl}/login`);
  await page.waitForURL(`${peal.dashboardUrl}/apps`);
  await page.goto(`${peal.dashboardUrl}/login?next=%2Fapps%2F${peal.appId}%2Fkeys`);
  await page.waitForURL(`${peal.dashboardUrl}/apps/${peal.appId}/keys`);
  await page.goto(`${peal.dashboardUrl}/login?next=%2F%2Fexample.com`);
  await page.waitForURL(`${peal.dashboardUrl}/apps`);
  await context.close();
});
