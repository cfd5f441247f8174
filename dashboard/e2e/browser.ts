import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";

export function launch(): Promise<Browser> {
  const root = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      // Chromium has no sandbox for root, which is whom containers often run as.
      ...(root ? ["--no-sandbox"] : []),
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--disable-gpu",
      "--disable-quic",
    ],
  });
}

export type Visitor = {
  context: BrowserContext;
  page: Page;
  /** What the browser complained about: errors, warnings, refusals by the content policy. */
  complaints: string[];
};

/** A reader with an empty cookie jar. */
export async function visitor(browser: Browser, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  context.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  context.on("page", (page) => watch(page, complaints));
  return { context, page: await context.newPage(), complaints };
}

function watch(page: Page, complaints: string[]) {
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    // The browser reports every answer of 400 and above. A refusal that the page explains is not a fault of the page.
    if (/^Failed to load resource: .* status of 4\d\d /.test(message.text())) return;
    complaints.push(`${message.type()}: ${message.text()}`);
  });
}

export async function signUp(
  page: Page,
  base: string,
  who: { email: string; password: string; team: string },
) {
  await page.goto(`${base}/signup`);
  await page.getByLabel("Email").fill(who.email);
  await page.getByLabel("Password", { exact: true }).fill(who.password);
  await page.getByLabel("Team or company name").fill(who.team);
  await page.getByRole("button", { name: "Sign up" }).click();
}

export async function logIn(page: Page, base: string, who: { email: string; password: string }) {
  await page.goto(`${base}/login`);
  await page.getByLabel("Email").fill(who.email);
  await page.getByLabel("Password", { exact: true }).fill(who.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL("**/apps");
}

export async function createApp(page: Page, base: string, name: string): Promise<string> {
  await page.goto(`${base}/apps/new`);
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Create app" }).click();
  await page.waitForURL(/\/apps\/\d+\/start/);
  return /\/apps\/(\d+)\//.exec(page.url())?.[1] ?? "";
}

/** Creates a key for everything on the page of an app's keys. */
export async function createKey(page: Page) {
  await page.getByRole("button", { name: "Create key" }).click();
  const dialog = page.getByRole("dialog", { name: "Create a key" });
  await dialog.getByRole("button", { name: "Create key" }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Types what the open question about revoking a key wants typed, and answers it. */
export async function confirmRevoke(page: Page) {
  const dialog = page.getByRole("alertdialog", { name: "Revoke this key?" });
  await dialog.getByRole("textbox").fill(await dialog.locator("label bdi").innerText());
  await dialog.getByRole("button", { name: "Revoke key" }).click();
  await dialog.waitFor({ state: "detached" });
}

/** The value beside a term of the list of credentials. */
export async function fact(page: Page, term: string): Promise<string> {
  const row = page
    .locator("dl > div")
    .filter({ has: page.getByRole("term").filter({ hasText: new RegExp(`^${term}$`) }) });
  return (await row.getByRole("definition").locator("code").innerText()).trim();
}
