// What strangers write is shown and never obeyed: hostile text in every field of events, and in
// what members call things, on every page, in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createProject, forgive, launch, loadUntil, openPage, password, sendEvent, startCopal } from "./support.mjs";

/** Each would leave an `x-canary`, set `window.canary`, open a dialog or load something. */
const payloads = [
  "<x-canary>plain</x-canary>",
  "<script>window.canary = 1; alert(1)</script>",
  "\"><x-canary onmouseover=alert(1)>",
  "'><x-canary onfocus=alert(1) tabindex=0 autofocus>",
  "\" autofocus onfocus=\"window.canary = 1",
  "<img src=/x onerror=\"window.canary = 1; alert(1)\">",
  "<svg/onload=window.canary=1><x-canary>",
  "</title><x-canary>",
  "</textarea></select></option><x-canary>",
  "--><x-canary><!--",
  "]]><x-canary>",
  "<iframe srcdoc=\"<script>parent.canary = 1</script>\"></iframe>",
  "<style>* { display: none !important }</style><x-canary>",
  "<base href=//evil.example/><x-canary>",
  "<meta http-equiv=refresh content=\"0;url=//evil.example/\"><x-canary>",
  "<form action=//evil.example/><button><x-canary>",
  "<a href=javascript:alert(1)>x</a>",
  "javascript:alert(1)",
  "JaVaScRiPt:window.canary=1//http://shop.example/",
  " \tjava\nscript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:msgbox(1)",
  "http://shop.example/\" onclick=\"window.canary = 1",
  "https://shop.example/'><x-canary>",
  "{{7*7}}${7*7}<%= 7*7 %>#{7*7}",
  "&lt;x-canary&gt;&#60;x-canary&#62;&quot;",
  "\u202e<x-canary>\u2066drowssap\u2069",
  "\u0000<x-canary>\u0008\u001b[31m\u2028\u2029",
  "\ufeff\u200b<x-canary\u200b>\u{e0041}\u{1f469}\u200d\u{1f4bb}",
  "＜x-canary＞％3Cx-canary％3E",
  "%3Cx-canary%3E+ADw-x-canary+AD4-",
  "[link](javascript:alert(1)) ![x](x) <x-canary>",
  "```\n<x-canary>\n````",
];

/** An event whose every field holds the text. */
function everywhere(text) {
  const frame = {
    function: text, filename: text, abs_path: text, module: text, package: text, lineno: 3, in_app: true,
    pre_context: [text, text], context_line: text, post_context: [text], vars: { [text]: text, list: [text, { [text]: text }] },
    instruction_addr: text, raw_function: text,
  };
  const stacktrace = { frames: [{ ...frame, in_app: false }, frame, { function: text, filename: text }] };
  return {
    platform: text, level: "error", logger: text, transaction: text, culprit: text, server_name: text,
    release: text, environment: text, dist: text, message: text,
    logentry: { message: text, formatted: text, params: [text] },
    exception: {
      values: [
        { type: text, value: text, module: text, stacktrace },
        { type: text, value: text, module: text, stacktrace, mechanism: { type: text, handled: false, description: text, help_link: text, data: { [text]: text }, meta: { signal: { name: text } } } },
      ],
    },
    threads: { values: [{ id: text, name: text, crashed: true, stacktrace }] },
    breadcrumbs: { values: [{ timestamp: 1, type: text, category: text, level: text, message: text, data: { [text]: text, url: text } }] },
    request: {
      method: text, url: text, query_string: [[text, text]], fragment: text, headers: [[text, text], ["Referer", text]],
      cookies: [[text, text]], env: { [text]: text }, data: { [text]: text },
    },
    user: { id: text, email: text, username: text, ip_address: "127.0.0.1", name: text, [text]: text, data: { [text]: text } },
    tags: [[text, text], ["evil", text], [text.replace(/[^a-zA-Z0-9_.:-]/g, "").slice(0, 30) || "t", text]],
    contexts: { [text]: { [text]: text }, browser: { name: text, version: text, type: text }, os: { name: text }, trace: { trace_id: text, op: text } },
    extra: { [text]: text, nested: { [text]: [text] } },
    modules: { [text]: text },
    sdk: { name: text, version: text, integrations: [text], packages: [{ name: text, version: text }] },
    fingerprint: [text],
    debug_meta: { images: [{ type: text, code_file: text, debug_id: text }] },
  };
}

let copal, browser, page;

before(async () => {
  copal = await startCopal();
  browser = await launch();
  page = await openPage(browser);
});

after(async () => {
  await browser?.close();
  await copal?.stop();
});

/** Nothing that was sent became an element, a handler, a live link or anything that runs. */
async function harmless(what) {
  const found = await page.evaluate(() => {
    const wrong = [];
    const own = new Set(["A", "BDI", "BODY", "BR", "BUTTON", "CODE", "DD", "DETAILS", "DIALOG", "DIV", "DL", "DT", "FIELDSET",
      "FORM", "H1", "H2", "H3", "H4", "HEAD", "HEADER", "HTML", "IMG", "INPUT", "KBD", "LABEL", "LEGEND", "LI", "LINK", "MAIN",
      "MARK", "META", "METER", "NAV", "OL", "OPTION", "P", "PRE", "SCRIPT", "SECTION", "SELECT", "SPAN", "STRONG", "SUMMARY",
      "TABLE", "TBODY", "TD", "TEXTAREA", "TH", "THEAD", "TIME", "TITLE", "TR", "UL", "g", "svg", "path", "rect", "circle", "title"]);
    for (const element of document.querySelectorAll("*")) {
      if (!own.has(element.tagName)) wrong.push(`element ${element.outerHTML.slice(0, 80)}`);
      for (const { name, value } of element.attributes) {
        if (name.startsWith("on") || ["style", "srcdoc", "formaction", "xlink:href", "http-equiv"].includes(name)) {
          wrong.push(`attribute ${name} of ${element.outerHTML.slice(0, 80)}`);
        }
        const loads = ["src", "href", "action", "srcset", "poster", "data"].includes(name);
        if (loads && !/^(\/(?![/\\])|#|https?:\/\/)/.test(value)) wrong.push(`${name} leads to ${value}`);
        if (["src", "action"].includes(name) && !value.startsWith("/")) wrong.push(`${name} is foreign: ${value}`);
      }
    }
    for (const script of document.scripts) if (script.textContent) wrong.push("an inline script");
    if (window.canary) wrong.push("something ran");
    if (getComputedStyle(document.body).display === "none") wrong.push("the page is hidden");
    return wrong;
  });
  assert.deepEqual(found, [], what);
  assert.deepEqual(page.complaints, [], what);
}

async function open(path, status = 200) {
  const answer = await page.goto(`${copal.url}${path}`);
  assert.equal(answer.status(), status, path);
  if (status !== 200) forgive(page, status);
  await harmless(path);
}

/** The browser shows text around which it has put its own page, and runs nothing of it. */
async function plain(path) {
  const answer = await page.goto(`${copal.url}${path}`);
  assert.match(answer.headers()["content-type"], /^(text\/plain; charset=utf-8|application\/json)$/, path);
  const found = await page.evaluate(() => [document.querySelectorAll("x-canary, script, img, iframe, a").length, window.canary]);
  assert.deepEqual([found, page.complaints], [[0, undefined], []], path);
}

test("hostile text is only text: what members call things", { timeout: 60_000 }, async () => {
  const name = payloads[0].repeat(2);
  await page.goto(`${copal.url}/signup`);
  await page.fill("input[name=name]", name);
  await page.fill("input[name=email]", "eve@shop.example");
  await page.fill("input[name=password]", password);
  await page.click("form button.primary");
  await page.waitForURL(/\/o\/[^/]+$/);
  const org = new URL(page.url()).pathname;
  await harmless("first run");
  await page.goto(`${copal.url}${org}/projects/new`);
  await createProject(page, "\"'><x-canary>", "python");
  await harmless("guide");
  const project = new URL(page.url()).pathname.replace("/guide", "");
  await open(`${project}/settings`);
  await page.fill("#f-label", "<x-canary onclick=alert(1)>");
  await page.getByRole("button", { name: "Create key" }).click();
  await harmless("settings");
  await page.goto(`${copal.url}/account`);
  await page.fill("#f-token", "</bdi><x-canary>");
  await page.click("form[action='/account/tokens'] button");
  await harmless("account");
  for (const path of [org, `${org}/members`, `${org}/issues`, "/o/new", "/api/v1/docs"]) await open(path);
});

test("hostile text is only text: what queries and addresses hold", { timeout: 60_000 }, async () => {
  await page.goto(`${copal.url}/`);
  const org = new URL(page.url()).pathname;
  for (const payload of payloads) {
    const value = encodeURIComponent(payload.replaceAll("\0", ""));
    const answer = await page.goto(
      `${copal.url}${org}/issues?query=${value}&environment=${value}&project=${value}&status=${value}&sort=${value}&cursor=`,
    );
    if (answer.status() === 400) forgive(page, 400);
    await harmless(`query ${payload}`);
  }
  await open(`/no/such/${encodeURIComponent(payloads[2])}`, 404);
  await open(`/login?next=${encodeURIComponent("javascript:alert(1)")}`);
});

test("hostile text is only text: every field of an event, on every page", { timeout: 120_000 }, async () => {
  await page.goto(`${copal.url}/`);
  const org = new URL(page.url()).pathname;
  await page.goto(`${copal.url}${org}/projects/new`);
  const dsn = await createProject(page, "Shop");
  // The guide would open the first issue by itself, across what follows.
  await page.goto(`${copal.url}${org}`);
  for (const payload of payloads) {
    assert.equal(await sendEvent(dsn, everywhere(payload)), 200, payload);
  }
  const list = `${org}/issues?project=shop&status=all`;
  const links = page.locator("a.issue-link");
  await loadUntil(page, `${copal.url}${list}`, async () => (await links.count()) === payloads.length);
  await harmless("list");
  await open(org);
  const issues = await links.evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  await page.goto(`${copal.url}${list}`);
  const paths = await links.evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  assert.ok(issues.length > 0 && paths.length === payloads.length);
  const schemes = new Set();
  for (const [index, path] of paths.entries()) {
    await page.goto(`${copal.url}${path}`);
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
    await harmless(path);
    const hrefs = await page.locator(".request-line a").evaluateAll((all) => all.map((one) => new URL(one.href).protocol));
    for (const scheme of hrefs) schemes.add(scheme);
    // The other forms are written by the same few functions: a sample of them does.
    if (index % 4 !== 0) continue;
    await open(`${path}?stack=text&period=24h`);
    for (const form of ["markdown", "json"]) await plain(`${path}/events/latest/${form}`);
  }
  assert.deepEqual([...schemes], ["https:"], "a URL is a link only where it is http or https");
});
