// From signing up to a resolved issue: what a newcomer does on the first day.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import {
  checkPage, createProject, forgive, launch, loadUntil, logIn, lookAt, openPage, signUp, startCopal,
} from "./support.mjs";

const run = promisify(execFile);
const root = new URL("../..", import.meta.url).pathname;
let copal, browser;

before(async () => {
  copal = await startCopal();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await copal?.stop();
});

/** Runs one of the real SDK programs against a DSN. */
function send(dsn, program, ...words) {
  const environment = { ...process.env, SENTRY_DSN: dsn };
  if (program === "python") {
    const python = `${root}.venv/bin/python`;
    return run(python, ["shop.py", ...words], { cwd: `${root}tests/sdk/python`, env: environment });
  }
  const script = program === "node" ? ["tests/sdk/node/storefront.mjs"] : ["tests/sdk/browser/click.mjs", dsn];
  return run("node", [...script, ...words], { cwd: root, env: environment });
}

test("a newcomer signs up, sends an error and resolves its issue", { timeout: 120_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${copal.url}/signup`);
  await lookAt(page, "signup");
  const dashboard = await signUp(page, copal.url, "Ana");
  assert.match(dashboard, /^\/o\/anas-workspace$/);
  await lookAt(page, "dashboard-empty");

  await page.goto(`${copal.url}${dashboard}/projects/new`);
  await lookAt(page, "project-new");
  const dsn = await createProject(page, "Shop", "python");
  assert.match(dsn, /^http:\/\/[0-9a-f]{32}@127\.0\.0\.1:\d+\/1$/);
  await lookAt(page, "guide");

  // The page notices the first event by itself and opens its issue.
  await send(dsn, "python", "chained");
  await page.waitForURL(/\/issues\/SHOP-1/);
  const text = await page.locator("main").textContent();
  for (const part of ["OutOfStock", "SKU-12 cannot be reserved", "wanted 3, left 1", "reserve", "stock.py"]) {
    assert.ok(text.includes(part), `the issue page shows ${part}`);
  }
  assert.ok(!text.includes("Bearer abc"), "credentials are scrubbed");
  await lookAt(page, "issue");

  await page.locator(".issue-actions button", { hasText: "Resolve" }).click();
  await page.locator(".issue-head .status", { hasText: /^Resolved$/ }).waitFor();
  await checkPage(page, "resolved issue");

  // A resolved issue that comes back reopens and is marked.
  await send(dsn, "python", "chained");
  const regressed = page.locator(".issue-head .chip", { hasText: "Regressed" });
  await loadUntil(page, `${copal.url}${dashboard}/issues/SHOP-1`, async () => (await regressed.count()) === 1);
  await page.goto(`${copal.url}${dashboard}`);
  await page.getByRole("region", { name: "Regressed" }).getByRole("link", { name: /OutOfStock/ }).click();
  await page.waitForURL(/SHOP-1$/);
  await page.locator(".issue-actions button", { hasText: "Ignore" }).click();
  await page.locator(".issue-head .status", { hasText: /^Ignored$/ }).waitFor();
});

test("the three JavaScript and Python SDKs fill the list, which a keyboard works off", { timeout: 180_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(`${copal.url}/login`);
  await lookAt(page, "login");
  await logIn(page, copal.url, "ana@shop.example");
  await page.goto(`${copal.url}/o/anas-workspace/projects/new`);
  const dsn = await createProject(page, "Web", "javascript");
  // The guide would open the first issue by itself, across what follows.
  await page.goto(`${copal.url}/o/anas-workspace`);
  await Promise.all([send(dsn, "browser"), send(dsn, "node"), send(dsn, "python")]);

  const list = `${copal.url}/o/anas-workspace/issues?project=web`;
  await loadUntil(page, list, async () => (await page.locator("tr[data-issue]").count()) >= 20);
  const titles = await page.locator("tr[data-issue] .issue-link").allTextContents();
  for (const part of ["ZeroDivisionError", "BasketError", "TypeError", "SyntaxError", "slow page"]) {
    assert.ok(titles.some((title) => title.includes(part)), `${part} is among ${titles}`);
  }
  await lookAt(page, "issues");

  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.keyboard.press("e");
  await page.locator(".notice", { hasText: "Resolved 1 issue." }).waitFor();
  await page.goto(`${list}&status=resolved`);
  assert.equal(await page.locator("tr[data-issue]").count(), 1, "the selected issue is resolved");

  await page.goto(`${list}&query=is%3Alost`);
  assert.ok((await page.locator("#query-error").textContent()).includes("character 1"));
  forgive(page, 400);
  await lookAt(page, "query-error");
});

test("reading needs no script", { timeout: 60_000 }, async () => {
  const page = await openPage(browser, { script: false });
  await logIn(page, copal.url, "ana@shop.example");
  await page.goto(`${copal.url}/o/anas-workspace/issues?status=all`);
  await page.locator("a.issue-link").first().click();
  assert.ok(await page.locator(".trace, main pre").first().isVisible());
  assert.deepEqual(page.complaints, []);
});

test("a stranger sees nothing of another organization", { timeout: 60_000 }, async () => {
  const page = await openPage(browser);
  await signUp(page, copal.url, "Eve");
  const foreign = await page.goto(`${copal.url}/o/anas-workspace/issues`);
  assert.equal(foreign.status(), 404);
  const missing = await page.goto(`${copal.url}/o/no-such-organization/issues`);
  assert.equal(missing.status(), 404);
  forgive(page, 404);
  await lookAt(page, "not-found");
});
