import { createHmac } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, logIn, signUp, visitor } from "./browser";
import { demo, makeDataFolder, type Peal, startPeal } from "./peal";

// What people do with each other and with their own accounts, with mails as `peal dev` shows them.

const folder = fileURLToPath(new URL("../screenshots", import.meta.url));
const secretWords = "copper lantern 41 drifts";
const otherWords = "velvet harbour 17 sings";

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

/** The link of the last mail to an address about something, from the page where `peal dev` shows mails. */
async function mailed(page: Page, to: string, subject: string): Promise<string> {
  const box = await page.context().newPage();
  const mail = box
    .locator("article")
    .filter({ hasText: `To ${to}` })
    .filter({ has: box.getByRole("heading", { name: subject }) })
    .first();
  await expect
    .poll(
      async () => {
        await box.goto(`${peal.opsUrl}/mail`);
        return mail.count();
      },
      { timeout: 10_000, interval: 500 },
    )
    .toBeGreaterThan(0);
  const link = await mail.getByRole("link").first().getAttribute("href");
  await box.close();
  if (!link) throw new Error(`the mail to ${to} has no link`);
  return link;
}

/** What an authenticator app shows a number of steps from now (RFC 6238). */
function totp(secret: string, steps = 0): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const toast = (page: Page, text: string) => page.getByText(text, { exact: true }).first().waitFor();

test("somebody is invited, joins, gets another role, switches tenants and is removed", async () => {
  const ann = await visitor(browser);
  await logIn(ann.page, peal.dashboardUrl, demo);
  await ann.page.getByRole("link", { name: "Members" }).click();
  await ann.page.getByRole("heading", { name: "Nobody is invited" }).waitFor();
  await ann.page.getByRole("button", { name: "Invite" }).click();
  const dialog = ann.page.getByRole("dialog", { name: "Invite somebody" });
  await dialog.getByRole("button", { name: "Invite" }).click();
  await dialog.getByText("Enter your email address.").waitFor();
  await dialog.getByLabel("Email").fill("bo@example.com");
  await dialog.getByLabel("Role").selectOption("Viewer");
  await dialog.getByRole("button", { name: "Invite" }).click();
  await toast(ann.page, "Invitation sent");
  const invitations = ann.page.getByRole("table", { name: "Invitations" });
  await invitations.getByText("bo@example.com").waitFor();
  await ann.page.getByRole("button", { name: "Send the invitation of bo@example.com again" }).click();
  await toast(ann.page, "Invitation sent again");

  // Bo has a tenant of his own, and joins with the session that is open.
  const bo = await visitor(browser);
  await signUp(bo.page, peal.dashboardUrl, { email: "bo@example.com", password: secretWords, team: "Bolt" });
  await bo.page.getByRole("heading", { name: "Create your first app" }).waitFor();
  await bo.page.goto(await mailed(bo.page, "bo@example.com", "Join “Demo” on Peal"));
  await bo.page.getByRole("heading", { name: "Join Demo" }).waitFor();
  expect(await bo.page.getByLabel("Password").count()).toBe(0);
  await bo.page.getByRole("button", { name: "Accept invitation" }).click();
  await bo.page.waitForURL("**/apps");
  await bo.page.getByRole("link", { name: "Demo app" }).waitFor();
  await bo.page.getByRole("button", { name: "Create app" }).first().waitFor();
  await bo.page.getByText("Your role, viewer, does not allow this.").first().waitFor({ state: "attached" });

  await bo.page.getByRole("button", { name: "Switch tenant" }).click();
  await bo.page.getByRole("menuitem", { name: "Bolt" }).click();
  await bo.page.getByRole("heading", { name: "Create your first app" }).waitFor();
  await bo.page.getByRole("button", { name: "Switch tenant" }).click();
  await bo.page.screenshot({ path: `${folder}/tenant-switcher-1440-light.png` });
  await bo.page.getByRole("menuitem", { name: "Demo" }).click();
  await bo.page.getByRole("link", { name: "Demo app" }).waitFor();

  await ann.page.reload();
  await ann.page.getByLabel("Role of bo@example.com").selectOption("Admin");
  await toast(ann.page, "Role changed");
  await ann.page.getByRole("button", { name: "More about bo@example.com" }).click();
  await ann.page.getByRole("menuitem", { name: "Remove from tenant" }).click();
  const question = ann.page.getByRole("alertdialog", { name: "Remove this member?" });
  expect(await question.innerText()).toContain("stop working");
  await question.getByRole("button", { name: "Remove" }).click();
  await toast(ann.page, "Member removed");
  expect(await ann.page.getByRole("button", { name: "Leave tenant" }).getAttribute("aria-disabled")).toBe(
    "true",
  );

  // The session was in the tenant that he is no longer of.
  await bo.page.getByRole("link", { name: "Members" }).click();
  await bo.page.waitForURL("**/login**");
  await logIn(bo.page, peal.dashboardUrl, { email: "bo@example.com", password: secretWords });
  await bo.page.getByRole("heading", { name: "Create your first app" }).waitFor();

  // An invitation that is used up says so.
  await bo.page.goto(`${peal.dashboardUrl}/invitation#nothing`);
  await bo.page.getByText("This invitation does not work").waitFor();
  expect([...ann.complaints, ...bo.complaints]).toEqual([]);
  await ann.context.close();
  await bo.context.close();
});

test("a newcomer joins with a password, takes the tenant over and gives it back", async () => {
  const ann = await visitor(browser);
  await logIn(ann.page, peal.dashboardUrl, demo);
  await ann.page.goto(`${peal.dashboardUrl}/members`);
  await ann.page.getByRole("button", { name: "Invite" }).click();
  const dialog = ann.page.getByRole("dialog", { name: "Invite somebody" });
  await dialog.getByLabel("Email").fill("cy@example.com");
  await dialog.getByLabel("Role").selectOption("Admin");
  await dialog.getByRole("button", { name: "Invite" }).click();
  await toast(ann.page, "Invitation sent");

  const cy = await visitor(browser);
  await cy.page.goto(await mailed(cy.page, "cy@example.com", "Join “Demo” on Peal"));
  await cy.page.getByLabel("Password", { exact: true }).fill("password1");
  await cy.page.getByRole("button", { name: "Accept invitation" }).click();
  await cy.page.getByText(/easy to guess/).waitFor();
  await cy.page.getByLabel("Password", { exact: true }).fill(secretWords);
  await cy.page.getByRole("button", { name: "Accept invitation" }).click();
  await cy.page.waitForURL("**/apps");
  // The link came by mail, so the address is hers.
  expect(await cy.page.getByRole("region", { name: "Your address is not verified" }).count()).toBe(0);

  const transfer = async (page: Page, to: string) => {
    await page.goto(`${peal.dashboardUrl}/members`);
    await page.getByRole("button", { name: `More about ${to}` }).click();
    await page.getByRole("menuitem", { name: "Transfer ownership" }).click();
    const question = page.getByRole("alertdialog", { name: "Transfer ownership?" });
    await question.getByLabel("Type Demo to confirm").fill("Demo");
    await question.getByRole("button", { name: "Transfer ownership" }).click();
    await toast(page, "Ownership transferred");
  };
  await transfer(ann.page, "cy@example.com");
  await ann.page.getByRole("button", { name: /^Account of/ }).click();
  await ann.page.getByText("admin of").waitFor();
  await ann.page.keyboard.press("Escape");
  await transfer(cy.page, demo.email);
  await cy.page.getByRole("button", { name: "Leave tenant" }).click();
  await cy.page.getByRole("alertdialog").getByRole("button", { name: "Leave tenant" }).click();
  await cy.page.waitForURL("**/login**");
  expect([...ann.complaints, ...cy.complaints]).toEqual([]);
  await ann.context.close();
  await cy.context.close();
});

test("an address is verified, a password forgotten and set anew, and sessions end", async () => {
  const { page, context, complaints } = await visitor(browser);
  const email = "dee@example.com";
  await signUp(page, peal.dashboardUrl, { email, password: secretWords, team: "Delta" });
  const banner = page.getByRole("region", { name: "Your address is not verified" });
  await banner.getByRole("button", { name: "Send again" }).click();
  await toast(page, "Mail sent");
  await page.goto(`${peal.dashboardUrl}/tokens`);

  await page.getByText("Verify your email address first.").first().waitFor({ state: "attached" });
  await page.waitForTimeout(2500); // the second mail is on its way
  await page.goto(await mailed(page, email, "Verify your email address"));
  await page.getByRole("button", { name: "Verify address" }).click();
  await page.getByText(`${email} is yours.`, { exact: false }).waitFor();
  await page.getByRole("link", { name: "Go to the dashboard" }).click();
  await page.getByRole("heading", { name: "Create your first app" }).waitFor();
  expect(await banner.count()).toBe(0);

  const phone = await visitor(browser);
  await logIn(phone.page, peal.dashboardUrl, { email, password: secretWords });
  await page.goto(`${peal.dashboardUrl}/sessions`);
  const table = page.getByRole("table", { name: "Sessions" });
  await expect.poll(() => table.getByRole("row").count()).toBe(3);
  await table.getByText("This one").waitFor();
  await page.getByRole("button", { name: /^End the session of Chrome/ }).click();
  await toast(page, "Session ended");
  await phone.page.goto(`${peal.dashboardUrl}/sessions`);
  await phone.page.waitForURL("**/login**");

  await phone.page.getByRole("link", { name: "Forgot your password?" }).click();
  await phone.page.getByLabel("Email").fill(email);
  await phone.page.getByRole("button", { name: "Send the link" }).click();
  await phone.page.getByText("Look at your mail").waitFor();
  const link = await mailed(phone.page, email, "Set another password");
  await phone.page.goto(link);
  await phone.page.getByLabel("New password").fill(otherWords);
  await phone.page.getByRole("button", { name: "Set password" }).click();
  await phone.page.waitForURL("**/login**");
  await logIn(phone.page, peal.dashboardUrl, { email, password: otherWords });
  await phone.page.goto(link);
  await phone.page.getByLabel("New password").fill(otherWords);
  await phone.page.getByRole("button", { name: "Set password" }).click();
  await phone.page.getByText("This link does not work").waitFor();
  // Every session of before has ended.
  await page.goto(`${peal.dashboardUrl}/profile`);
  await page.waitForURL("**/login**");

  await logIn(page, peal.dashboardUrl, { email, password: otherWords });
  await page.goto(`${peal.dashboardUrl}/profile`);
  await page.getByLabel("Current password").fill("wrong");
  await page.getByLabel("New password").fill(secretWords);
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByText(/not the password of/i).waitFor();
  await page.getByLabel("Current password").fill(otherWords);
  await page.getByRole("button", { name: "Change password" }).click();
  await toast(page, "Password changed");
  await page.getByLabel("New address").fill("dee2@example.com");
  await page.getByLabel("Your password").fill(secretWords);
  await page.getByRole("button", { name: "Change address" }).click();
  await page.getByText("Look at your mail").waitFor();
  await page.goto(await mailed(page, "dee2@example.com", "Verify your new email address"));
  await page.getByRole("button", { name: "Verify address" }).click();
  await page.getByText("dee2@example.com is yours.", { exact: false }).waitFor();
  await page.goto(`${peal.dashboardUrl}/profile`);
  await page.getByText("dee2@example.com").first().waitFor();
  expect([...complaints, ...phone.complaints]).toEqual([]);
  await context.close();
  await phone.context.close();
});

test("the second factor is turned on, asked for, and turned off", async () => {
  const { page, context, complaints } = await visitor(browser);
  const who = { email: "eve@example.com", password: secretWords };
  await signUp(page, peal.dashboardUrl, { ...who, team: "Echo" });
  await page.getByRole("heading", { name: "Create your first app" }).waitFor();
  await page.goto(await mailed(page, who.email, "Verify your email address"));
  await page.getByRole("button", { name: "Verify address" }).click();
  await page.getByText(`${who.email} is yours.`, { exact: false }).waitFor();
  await page.goto(`${peal.dashboardUrl}/two-factor`);
  await page.getByLabel("Your password").fill(who.password);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("img", { name: "QR code for your authenticator app" }).waitFor();
  const secret = (
    await page
      .locator("code")
      .filter({ hasText: /^[A-Z2-7]{32}$/ })
      .innerText()
  ).trim();
  await page.getByLabel("Code", { exact: true }).fill("000000");
  await page.getByRole("button", { name: "Turn on" }).click();
  await page.getByText(/not right, or was used before/).waitFor();
  await page.getByLabel("Code", { exact: true }).fill(totp(secret, -1));
  await page.getByRole("button", { name: "Turn on" }).click();
  const codes = page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
  await expect.poll(() => codes.count()).toBe(10);
  const recovery = await codes.allInnerTexts();
  await page.screenshot({ path: `${folder}/two-factor-codes-1440-light.png` });
  await page.getByRole("button", { name: "I have kept them" }).click();
  await page.getByText("10 of 10").waitFor();

  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.waitForURL("**/login");
  const firstStep = async () => {
    await page.getByLabel("Email").fill(who.email);
    await page.getByLabel("Password", { exact: true }).fill(who.password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Two-factor login" }).waitFor();
  };
  await firstStep();
  await page.screenshot({ path: `${folder}/login-second-step-1440-light.png` });
  await page.getByLabel("Code").fill(totp(secret));
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL("**/apps");

  await page.goto(`${peal.dashboardUrl}/two-factor`);
  await page.getByRole("button", { name: "Make other recovery codes" }).click();
  let proof = page.getByRole("dialog", { name: "Make other recovery codes?" });
  await proof.getByLabel("Your password").fill(who.password);
  await proof.getByLabel("Code").fill(recovery[0] ?? "");
  await proof.getByRole("button", { name: "Make other codes" }).click();
  await expect.poll(() => codes.count()).toBe(10);
  const others = await codes.allInnerTexts();
  expect(others).not.toContain(recovery[1]);
  await page.getByRole("button", { name: "I have kept them" }).click();
  await page.getByRole("button", { name: "Turn off" }).click();
  proof = page.getByRole("dialog", { name: "Turn two-factor login off?" });
  await proof.getByLabel("Your password").fill(who.password);
  await proof.getByLabel("Code").fill(recovery[1] ?? "");
  await proof.getByRole("button", { name: "Turn off" }).click();
  await proof.getByText(/not right, or was used before/).waitFor();
  await proof.getByLabel("Code").fill(others[0] ?? "");
  await proof.getByRole("button", { name: "Turn off" }).click();
  await page.getByRole("heading", { name: "Turn it on" }).waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test("a token is made, calls, and is revoked", async () => {
  const { page, context, complaints } = await visitor(browser);
  await logIn(page, peal.dashboardUrl, demo);
  await page.goto(`${peal.dashboardUrl}/tokens`);
  await page.getByRole("button", { name: "Create token" }).click();
  const dialog = page.getByRole("dialog", { name: "Create an API token" });
  await dialog.getByLabel("Name").fill("Deploys");
  await dialog.getByLabel("May do").selectOption("Chosen permissions");
  await dialog.getByRole("checkbox", { name: "apps.read" }).check();
  await dialog.getByRole("button", { name: "Create token" }).click();
  const text = (
    await dialog
      .locator("code")
      .filter({ hasText: /^peal_/ })
      .innerText()
  ).trim();
  await page.screenshot({ path: `${folder}/token-created-1440-light.png` });
  await dialog.getByRole("button", { name: "Done" }).click();
  const call = (method: string) =>
    fetch(`${peal.dashboardUrl}/api/peal.admin.v1.${method}`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${text}`,
        "Content-Type": "application/json",
        "Connect-Protocol-Version": "1",
      },
      body: "{}",
    });
  expect((await call("AppService/ListApps")).status).toBe(200);
  expect((await call("MemberService/ListMembers")).status).toBe(403);
  await page.reload();
  const row = page.getByRole("row").filter({ hasText: "Deploys" });
  await row.getByText("Read only").waitFor();
  await row.getByText("just now").waitFor();
  await page.getByRole("button", { name: "Revoke the token Deploys" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke token" }).click();
  await page.getByRole("heading", { name: "There is no token" }).waitFor();
  expect((await call("AppService/ListApps")).status).toBe(401);
  expect(complaints).toEqual([]);
  await context.close();
});
