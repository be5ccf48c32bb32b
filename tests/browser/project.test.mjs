// Settings of a project: filters and scrubbing, a key that is rotated, moving to a team, going and
// coming back.
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

const settings = () => `${copal.url}/o/anas-workspace/projects/shop/settings`;
const told = (page, text) => page.locator(".notice", { hasText: text }).waitFor();

/** Ingest hears of a change within a second. */
async function answers(status, dsn) {
  for (let tries = 0; tries < 20; tries += 1) {
    if ((await sendEvent(dsn, exception("KeyError", "again"))) === status) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`ingest never answered ${status}`);
}

test("a filter takes events and says how many; a wrong line is named", { timeout: 90_000 }, async () => {
  const page = await openPage(browser);
  await signUp(page, copal.url, "Ana");
  await page.goto(`${copal.url}/o/anas-workspace/projects/new`);
  const dsn = await createProject(page, "Shop", "python");
  await page.goto(settings());
  await page.getByRole("navigation", { name: "Sections" }).getByText("Inbound filters").click();
  await page.fill("#f-addresses", "10.0.0.0/8\n10.0.0.0/99");
  await page.fill("#f-errorMessages", "*noise*");
  await page.getByRole("button", { name: "Save filters" }).click();
  await page.locator("#filters .wrong", { hasText: "Line 2" }).waitFor();
  forgive(page, 422);
  assert.equal(await page.evaluate(() => document.activeElement.name), "addresses");
  assert.equal(await page.inputValue("#f-errorMessages"), "*noise*");
  await lookAt(page, "project-settings-wrong");
  await page.fill("#f-addresses", "");
  await page.check("#f-localhost");
  await page.getByRole("button", { name: "Save filters" }).click();
  await told(page, "Saved the filters.");
  await page.waitForTimeout(1_000);
  assert.equal(await sendEvent(dsn, exception("KeyError", "noise")), 200);
  for (let tries = 0; tries < 50; tries += 1) {
    await page.goto(settings());
    if (await page.locator("#h-errorMessages", { hasText: "Took 1 in the last 30 days" }).count()) break;
    await page.waitForTimeout(100);
  }
  await page.locator("#h-errorMessages", { hasText: "Took 1 in the last 30 days" }).waitFor();
  assert.ok(await page.isChecked("#f-localhost"));
  await lookAt(page, "project-settings");
});

test("a key is rotated without a gap", { timeout: 60_000 }, async () => {
  const page = await openPage(browser);
  await logIn(page, copal.url, "ana@shop.example");
  await page.goto(settings());
  const old = await page.locator("#dsn-1").textContent();
  await page.locator("summary", { hasText: "Rename, limit" }).click();
  await page.fill("#label-1", "Backend");
  await page.fill("#limit-1", "1000");
  await checkPage(page, "a key that is changed");
  await page.getByRole("button", { name: "Save Backend" }).or(page.getByRole("button", { name: "Save Default" })).click();
  await told(page, "Saved the key.");
  await page.locator("summary", { hasText: /^Rotate$/ }).click();
  await lookAt(page, "project-key-rotate");
  await page.getByRole("button", { name: /^Make the new key/ }).click();
  await told(page, "The old one is valid until you switch it off.");
  assert.equal(await page.locator(".key-list li").count(), 2);
  assert.equal(await page.getByText("at most 1000 events a minute").count(), 2);
  const dsns = await page.locator(".copy-line code").allTextContents();
  const made = dsns.find((dsn) => dsn !== old);
  await answers(200, made);
  await answers(200, old);
  await page.getByRole("button", { name: "Switch off Backend (old)" }).click();
  await answers(403, old);
  await answers(200, made);
});

test("a project is deleted, taken back, and moved to a team", { timeout: 60_000 }, async () => {
  const page = await openPage(browser);
  await logIn(page, copal.url, "ana@shop.example");
  await page.goto(`${copal.url}/o/new`);
  await page.fill("input[name=name]", "Acme");
  await page.click("main form button.primary");
  await page.goto(settings());
  const dsns = await page.locator(".copy-line code").allTextContents();
  await page.fill("#f-confirm", "Shop");
  await page.getByRole("button", { name: "Delete project" }).click();
  await told(page, "you can take that back");
  await answers(403, dsns[1]);
  await page.goto(`${copal.url}/o/anas-workspace/settings`);
  await lookAt(page, "deleted-projects");
  await page.getByRole("button", { name: /^Restore/ }).click();
  await told(page, "Shop is back, as it was.");
  await answers(200, dsns[1]);
  await page.selectOption("#f-to", { label: "Acme" });
  await page.getByRole("button", { name: "Move project" }).click();
  await page.waitForURL(/\/o\/acme\/projects\/shop\/settings$/);
  await told(page, "Shop is in Acme now.");
  await checkPage(page, "a project that was moved");
  await answers(200, dsns[1]);
  const old = await page.goto(settings());
  assert.equal(old.status(), 404);
});
