// What is a person's own: account, tokens, theme, keys of a project, a team, logging out.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  checkPage, createProject, exception, forgive, launch, logIn, lookAt, openPage, sendEvent, signUp, startCopal,
} from "./support.mjs";

let copal, browser;

before(async () => {
  copal = await startCopal();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await copal?.stop();
});

const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

/** Status of a call to the API with a token. */
async function call(token, path) {
  const answer = await fetch(`${copal.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });
  return answer.status;
}

/** Ingest hears of a key that was switched within a second. */
async function answers(status, dsn) {
  for (let tries = 0; tries < 20; tries += 1) {
    if ((await sendEvent(dsn, exception("KeyError", "again"))) === status) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`ingest never answered ${status}`);
}

test("a token is shown once, copied, used and revoked", { timeout: 60_000 }, async () => {
  const page = await openPage(browser);
  await signUp(page, copal.url, "Ana");
  await page.goto(`${copal.url}/account`);
  await lookAt(page, "account");
  await page.fill("#f-token", "deploy script");
  await page.click("form[action='/account/tokens'] button");
  const token = await page.locator("#new-token").textContent();
  assert.match(token, /^copal_[\w-]{43}$/);
  await page.click(".secret [data-copy]");
  await page.locator(".secret [data-copy]", { hasText: "Copied" }).waitFor();
  assert.equal(await clipboard(page), token);
  await lookAt(page, "account-token");
  assert.equal(await call(token, "/me"), 200);

  await page.goto(`${copal.url}/account`);
  assert.ok(!(await page.content()).includes(token), "it is shown once");
  const row = page.locator(".key-list li", { hasText: "deploy script" });
  assert.match(await row.textContent(), /last used just now/);
  await row.locator(".confirm summary").click();
  await checkPage(page, "asked before revoking");
  await row.locator(".confirm button").click();
  await page.locator(".notice", { hasText: "Revoked" }).waitFor();
  assert.equal(await call(token, "/me"), 401);
});

test("a key that is switched off lets nothing in, and is deleted only then", { timeout: 60_000 }, async () => {
  const page = await openPage(browser);
  await logIn(page, copal.url, "ana@shop.example");
  await page.goto(`${copal.url}/o/anas-workspace/projects/new`);
  const dsn = await createProject(page, "Shop", "rust");
  await page.click("[data-copy='#dsn']");
  assert.equal(await clipboard(page), dsn);

  const settings = `${copal.url}/o/anas-workspace/projects/shop/settings`;
  await page.goto(settings);
  await lookAt(page, "settings");
  assert.equal(await sendEvent(dsn, exception("KeyError", "before")), 200);
  assert.equal(await page.getByRole("button", { name: /^Delete for ever/ }).count(), 0);
  await page.getByRole("button", { name: "Switch off Default" }).click();
  await page.locator(".chip", { hasText: "off" }).waitFor();
  await answers(403, dsn);
  await checkPage(page, "a key that is off");
  await page.getByRole("button", { name: "Switch on Default" }).click();
  await page.locator(".chip", { hasText: "active" }).waitFor();
  await answers(200, dsn);

  await page.fill("#f-label", "mobile app");
  await page.getByRole("button", { name: "Create key" }).click();
  await page.getByRole("button", { name: "Switch off mobile app" }).click();
  await page.locator("summary", { hasText: /^Delete$/ }).click();
  await page.getByRole("button", { name: /^Delete for ever.*mobile app/ }).click();
  await page.locator(".notice", { hasText: "Deleted the key" }).waitFor();
  assert.equal(await page.locator(".key-list li").count(), 1);
});

test("a form with something wrong keeps what was typed and goes to the field", { timeout: 60_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${copal.url}/signup`);
  await page.fill("input[name=name]", "Bo");
  await page.fill("input[name=email]", "bo@shop.example");
  await page.fill("input[name=password]", "short");
  await page.click("form button.primary");
  await page.locator(".wrong").waitFor();
  forgive(page, 422);
  assert.equal(await page.inputValue("input[name=email]"), "bo@shop.example");
  assert.equal(await page.inputValue("input[name=password]"), "");
  assert.equal(await page.evaluate(() => document.activeElement.name), "password");
  await lookAt(page, "signup-wrong");

  await page.goto(`${copal.url}/login`);
  await page.fill("input[name=email]", "ana@shop.example");
  await page.fill("input[name=password]", "not the password");
  await page.click("form button.primary");
  await page.locator(".problem").waitFor();
  forgive(page, 422);
  await lookAt(page, "login-wrong");
});

test("the theme is switched at once and remembered", { timeout: 60_000 }, async () => {
  const page = await openPage(browser);
  await logIn(page, copal.url, "ana@shop.example");
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  const button = page.locator("[data-theme-form] button");
  await button.click();
  await button.click();
  assert.equal(await page.getAttribute("html", "data-theme"), "dark");
  assert.notEqual(await background(), light);
  await page.goto(`${copal.url}/account`);
  assert.equal(await page.getAttribute("html", "data-theme"), "dark", "remembered");

  const plain = await openPage(browser, { script: false });
  await logIn(plain, copal.url, "ana@shop.example");
  await plain.locator("[data-theme-form] button").click();
  assert.equal(await plain.getAttribute("html", "data-theme"), "light", "without a script too");
});

test("a team of one's own, its members, the API's page", { timeout: 60_000 }, async () => {
  const page = await openPage(browser);
  await logIn(page, copal.url, "ana@shop.example");
  const menu = page.getByRole("link", { name: "Create new team" });
  await page.locator(".org-menu summary").click();
  await page.keyboard.press("Escape");
  await menu.waitFor({ state: "hidden" });
  await page.keyboard.press("Enter");
  await menu.waitFor();
  await checkPage(page, "menu of organizations");
  await page.locator(".user-menu summary").click();
  await menu.waitFor({ state: "hidden" });
  await page.locator("h1").click();
  await page.locator(".menu[open]").waitFor({ state: "detached" });
  await page.locator(".org-menu summary").click();
  await menu.click();
  await lookAt(page, "team-new");
  await page.fill("input[name=name]", "Rocket Sleds");
  await page.getByRole("button", { name: "Create team" }).click();
  await page.waitForURL(/\/o\/rocket-sleds$/);
  await page.getByRole("link", { name: "Members" }).click();
  assert.match(await page.locator("tbody").textContent(), /Ana \(you\)\s+ana@shop\.example\s+OWNER/);
  await lookAt(page, "members");
  await page.goto(`${copal.url}/api/v1/docs`);
  await page.evaluate(() => [...document.querySelectorAll("details.operation")].slice(0, 4).forEach((one) => { one.open = true; }));
  await lookAt(page, "api-docs");
});

test("after logging out nothing is left to see", { timeout: 60_000 }, async () => {
  const page = await openPage(browser);
  await logIn(page, copal.url, "ana@shop.example");
  const path = `${copal.url}/o/anas-workspace/issues`;
  await page.goto(path);
  await page.locator(".user-menu summary").click();
  await page.locator(".user-menu").getByRole("button", { name: "Log out" }).click();
  await page.waitForURL(/\/login$/);
  await page.goto(path);
  assert.match(page.url(), /\/login\?next=/, "asked to log in, and to come back");
  await page.fill("input[name=email]", "ana@shop.example");
  await page.fill("input[name=password]", "a long enough password");
  await page.click("form button.primary");
  await page.waitForURL(path);
  assert.deepEqual(page.complaints, []);
});

test("errors are pages too, with a way on", { timeout: 60_000 }, async () => {
  const page = await openPage(browser);
  await logIn(page, copal.url, "ana@shop.example");
  for (const [path, status] of [["/no/such/page", 404], ["/o/nobodys/issues", 404], ["/logout", 405]]) {
    const answer = await page.goto(`${copal.url}${path}`);
    assert.equal(answer.status(), status, path);
    forgive(page, status);
    assert.equal(await page.locator(".main-nav a").count(), 4, `${path} leads on`);
  }
  await lookAt(page, "method-not-allowed");

  // A form of a session that has ended since.
  await page.goto(`${copal.url}/account`);
  await page.evaluate(() => { document.querySelector("main [name=csrf]").value = "stale"; });
  await page.locator("main form").first().getByRole("button", { name: "Save" }).click();
  await page.locator("h1", { hasText: "This form has expired" }).waitFor();
  forgive(page, 403);
  await lookAt(page, "stale-form");
});
