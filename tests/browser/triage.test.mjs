// Working off a list: with the keyboard, in bulk, with undo, while more comes in.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  checkPage, createProject, exception, launch, loadUntil, lookAt, openPage, sendEvent, signUp, startCopal,
} from "./support.mjs";

let copal, browser, page, dsn, list;

before(async () => {
  copal = await startCopal();
  browser = await launch();
  page = await openPage(browser);
  await signUp(page, copal.url, "Ana");
  await page.goto(`${copal.url}/o/anas-workspace/projects/new`);
  dsn = await createProject(page, "Shop", "python");
  // The guide would open the first issue by itself, across what follows.
  await page.goto(`${copal.url}/o/anas-workspace`);
  for (const name of ["Alpha", "Beta", "Gamma"]) {
    assert.equal(await sendEvent(dsn, { ...exception(`${name}Error`, name), environment: "production" }), 200);
  }
  await sendEvent(dsn, { ...exception("AlphaError", "Alpha"), environment: "staging" });
  list = `${copal.url}/o/anas-workspace/issues`;
  await loadUntil(page, list, async () => (await rows().count()) === 3);
});

after(async () => {
  await browser?.close();
  await copal?.stop();
});

const rows = () => page.locator("tr[data-issue]");
const at = () => page.locator("tr.is-at .issue-link strong").textContent();
const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());

test("keys walk, select, ignore and undo", { timeout: 60_000 }, async () => {
  await page.goto(list);
  const titles = await page.locator("tr[data-issue] .issue-link strong").allTextContents();
  await press("j", "j");
  assert.equal(await at(), titles[1]);
  await press("k");
  assert.equal(await at(), titles[0]);
  await press("x", "j", "x");
  assert.equal(await page.locator("[data-bulk-count]").textContent(), "2 selected");
  await lookAt(page, "issues-selected");
  await press("i");
  await page.locator(".notice", { hasText: "Ignored 2 issues." }).waitFor();
  assert.equal(await rows().count(), 1);
  await lookAt(page, "issues-undo");
  await press("u");
  await page.locator(".notice", { hasText: "Undone: 2 issues as before." }).waitFor();
  assert.equal(await rows().count(), 3);
});

test("keys open an issue, search, show themselves and go elsewhere", { timeout: 60_000 }, async () => {
  await page.goto(list);
  await press("j", "Enter");
  await page.waitForURL(/\/issues\/SHOP-\d$/);
  await press("e");
  await page.locator(".notice", { hasText: /^Resolved SHOP-/ }).waitFor();
  await press("u");
  await page.locator(".issue-head .status", { hasText: /^Open$/ }).waitFor();
  await press("g", "i");
  await page.waitForURL(list);
  await press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "query");
  await page.keyboard.type("j?");
  assert.equal(await page.inputValue("#query"), "j?", "keys are text in a field");
  await page.evaluate(() => document.activeElement.blur());
  await press("?");
  await page.locator("dialog[open]").waitFor();
  await checkPage(page, "dialog of the keys");
  await press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
  await press("g", "p");
  await page.waitForURL(/\/o\/anas-workspace$/);
});

test("keys walk the events of an issue and keep the view", { timeout: 60_000 }, async () => {
  await page.goto(`${list}?query=AlphaError`);
  await page.locator("a.issue-link").click();
  const number = () => page.locator(".event-nav strong").textContent();
  await page.getByRole("link", { name: "All frames" }).click();
  assert.equal(await number(), "Event 2");
  await press("[");
  await page.waitForURL(/\/events\/[0-9a-f]{32}\?.*stack=full/);
  assert.equal(await number(), "Event 1");
  await press("]");
  await page.waitForFunction(() => document.querySelector(".event-nav strong").textContent === "Event 2");
});

test("an issue is copied: short id, link, event id, Markdown", { timeout: 60_000 }, async () => {
  await page.goto(`${list}?query=AlphaError`);
  await page.locator("a.issue-link").click();
  await page.locator("#short-id").waitFor();
  const copied = async (button) => {
    await button.click();
    await page.locator(":is(button, a)", { hasText: "Copied" }).waitFor();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    await page.locator(":is(button, a)", { hasText: "Copied" }).waitFor({ state: "detached" });
    return text;
  };
  const id = await copied(page.getByRole("button", { name: "Copy short id" }));
  assert.match(id, /^SHOP-\d$/);
  assert.equal(await copied(page.getByRole("button", { name: "Copy link" })), `${list}/${id}`);
  assert.match(await copied(page.getByRole("button", { name: "Event id" })), /^[0-9a-f]{32}$/);
  const markdown = await copied(page.getByRole("link", { name: "Markdown" }));
  assert.ok(markdown.startsWith(`[${id}](${list}/${id})`), markdown);
  assert.match(markdown, /```text\ntitle: AlphaError: Alpha\n/);
});

test("the list tells of new issues and does not move", { timeout: 60_000 }, async () => {
  await page.goto(list);
  const before = await rows().count();
  await page.waitForTimeout(300);
  await sendEvent(dsn, exception("DeltaError", "Delta"));
  const pill = page.locator("[data-live]", { hasText: /^1 new issue$/ });
  await pill.waitFor();
  assert.equal(await rows().count(), before, "nothing moved under the cursor");
  await checkPage(page, "list with news");
  await pill.click();
  await page.locator("tr[data-issue]", { hasText: "DeltaError" }).waitFor();
});

test("filters narrow, the help's examples search, empty lists say why", { timeout: 60_000 }, async () => {
  await page.goto(list);
  const options = await page.locator("select[name=environment] option").allTextContents();
  assert.deepEqual(options, ["All environments", "production", "staging"]);
  await page.selectOption("select[name=environment]", "staging");
  await page.getByRole("button", { name: "Search" }).click();
  await page.waitForURL(/environment=staging/);
  assert.equal(await rows().count(), 1);
  await page.locator(".search-help summary").click();
  await lookAt(page, "search-help");
  await page.locator(".search-help a", { hasText: /^!level:info$/ }).click();
  await page.waitForURL(/query=%21level%3Ainfo/);
  assert.equal(await rows().count(), 1);
  await page.goto(list);
  await page.keyboard.press("/");
  await page.keyboard.type("!le");
  await press("ArrowDown", "Enter");
  assert.equal(await page.inputValue("#query"), "!level:");
  await page.keyboard.type("in");
  await page.locator(".search-options li", { hasText: "!level:info" }).waitFor();
  await checkPage(page, "completions");
  await press("ArrowDown", "Tab");
  await page.keyboard.type("env");
  await press("ArrowDown", "Enter");
  await page.keyboard.type("s");
  await press("ArrowDown", "Enter");
  assert.equal(await page.inputValue("#query"), "!level:info environment:staging ");
  await press("Enter");
  await page.waitForURL(/query=%21level%3Ainfo\+environment%3Astaging/);
  assert.equal(await rows().count(), 1);
  await page.goto(`${list}?query=nothing-like-this`);
  await page.locator(".empty h2", { hasText: "Nothing matches" }).waitFor();
  await lookAt(page, "issues-nothing");
});

test("an issue is undone and deleted without a script", { timeout: 60_000 }, async () => {
  const plain = await openPage(browser, { script: false });
  await plain.context().addCookies(await page.context().cookies());
  await plain.goto(list);
  await plain.locator("tr[data-issue] input[type=checkbox]").first().check();
  await plain.getByRole("button", { name: "Resolve" }).click();
  await plain.locator(".notice", { hasText: "Resolved 1 issue." }).waitFor();
  await plain.locator(".notice").getByRole("button", { name: "Undo" }).click();
  await plain.locator(".notice", { hasText: "Undone: 1 issue as before." }).waitFor();
  await plain.locator("a.issue-link", { hasText: "DeltaError" }).click();
  await plain.locator("summary", { hasText: "Delete this issue" }).click();
  await plain.fill("#confirm", await plain.locator("#short-id").textContent());
  await plain.getByRole("button", { name: "Delete" }).click();
  await plain.locator(".notice", { hasText: /^Deleted SHOP-\d with its events\.$/ }).waitFor();
  assert.deepEqual(plain.complaints, []);
});
