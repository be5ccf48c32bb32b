// What the journeys share: a real program on an empty folder, a real browser, and the checks that
// hold on every page.
import assert from "node:assert/strict";
import { spawn, execFile } from "node:child_process";
import { mkdtemp, mkdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

import { chromiumOptions } from "../chromium.mjs";

const run = promisify(execFile);
const root = new URL("../..", import.meta.url).pathname;
const copal = process.env.COPAL ?? join(root, "target/debug/copal");
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Where screenshots go, to be looked at. */
export const output = join(root, "tests/browser/output");
export const password = "a long enough password";

/** The cluster in which each program gets a database of its own; without one it is SQLite. */
const cluster = process.env.COPAL_BROWSER_POSTGRES;

/** Has a statement done in the cluster. */
const inCluster = (statement) => run("psql", [cluster, "-qX", "-v", "ON_ERROR_STOP=1", "-c", statement]);

/** A running `copal`; `stop()` ends it and removes its data. */
export async function startCopal(command = "serve") {
  const data = await mkdtemp(join(tmpdir(), "copal-browser-"));
  const database = `browser_${crypto.randomUUID().replaceAll("-", "")}`;
  const env = { ...process.env };
  if (cluster) {
    await inCluster(`create database ${database}`);
    env.COPAL_DATABASE_URL = Object.assign(new URL(cluster), { pathname: `/${database}` }).href;
  }
  const child = spawn(copal, [command, "--data", data, "--listen", "127.0.0.1:0"], {
    env,
    stdio: ["ignore", "pipe", process.env.COPAL_LOG ? "inherit" : "ignore"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await lines.next();
  assert.match(value ?? "", /^copal listening on http:/, "the program says where it listens");
  const url = value.replace("copal listening on ", "");
  return {
    url,
    lines,
    async cli(...words) {
      const { stdout } = await run(copal, [...words, "--data", data, "--json"], { env });
      return JSON.parse(stdout);
    },
    async stop() {
      child.kill("SIGTERM");
      await new Promise((resolve) => child.once("exit", resolve));
      await rm(data, { recursive: true });
      if (cluster) await inCluster(`drop database ${database} with (force)`);
    },
  };
}

/** Headless Chromium. */
export const launch = () => chromium.launch(chromiumOptions);

/** A page whose console errors and CSP violations are collected in `page.complaints`. */
export async function openPage(browser, { width = 1440, scheme = "light", script = true } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 844 : 1000 },
    colorScheme: scheme,
    javaScriptEnabled: script,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  page.complaints = [];
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  page.on("dialog", async (dialog) => {
    page.complaints.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.complaints.push(message.text());
  });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  return page;
}

/** The browser notes an answer of this status itself; nothing else may complain. */
export function forgive(page, status) {
  page.complaints = page.complaints.filter((text) => !text.includes(`the server responded with a status of ${status}`));
}

/** Logs in and lands wherever that leads. */
export async function logIn(page, url, email, secret = password) {
  await page.goto(`${url}/login`);
  await page.fill("input[name=email]", email);
  await page.fill("input[name=password]", secret);
  await page.click("form button.primary");
  await page.waitForURL((at) => at.pathname !== "/login");
}

/** Sends an event to a DSN as an SDK would; answers the HTTP status. */
export async function sendEvent(dsn, event) {
  const { protocol, username, host, pathname } = new URL(dsn);
  const address = `${protocol}//${host}/api${pathname}/envelope/?sentry_key=${username}&sentry_version=7`;
  const id = crypto.randomUUID().replaceAll("-", "");
  const lines = [{ event_id: id }, { type: "event" }, { event_id: id, ...event }];
  const body = lines.map((line) => JSON.stringify(line)).join("\n");
  return (await fetch(address, { method: "POST", body })).status;
}

/** An exception of the given type in one frame of the given function. */
export const exception = (type, value, fn = type) => ({
  platform: "python",
  level: "error",
  exception: { values: [{ type, value, stacktrace: { frames: [{ function: fn, filename: "app.py", lineno: 7, in_app: true }] } }] },
});

/** Loads a page until `seen` holds: what was sent is recorded a moment later. */
export async function loadUntil(page, address, seen) {
  for (let tries = 0; tries < 100; tries += 1) {
    await page.goto(address);
    if (await seen()) return;
    await page.waitForTimeout(100);
  }
  assert.fail(`${address} never showed what was waited for`);
}

/** Fills the sign-up form and lands on the dashboard of the personal organization. */
export async function signUp(page, url, name) {
  await page.goto(`${url}/signup`);
  await page.fill("input[name=name]", name);
  await page.fill("input[name=email]", `${name.toLowerCase().replaceAll(" ", ".")}@shop.example`);
  await page.fill("input[name=password]", password);
  await page.click("form button.primary");
  await page.waitForURL(/\/o\/[^/]+$/);
  return new URL(page.url()).pathname;
}

/** Creates a project on the page and answers its DSN, which the guide shows. */
export async function createProject(page, name, platform) {
  await page.fill("input[name=name]", name);
  if (platform) await page.check(`input[name=platform][value=${platform}]`, { force: true });
  await page.click("main form button.primary");
  return page.locator("#dsn").textContent();
}

/** All of axe-core's rules; and those that depend on colours, for the other scheme. */
const allRules = {};
const colourRules = { runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] } };

/** Nothing on the console, no CSP violation, axe-core clean, nothing scrolls sideways. */
export async function checkPage(page, name, rules = allRules) {
  assert.deepEqual(page.complaints, [], `${name}: the console is silent`);
  const sideways = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.ok(sideways <= 0, `${name}: scrolls sideways by ${sideways} px`);
  const result = await page.evaluate(`(() => { ${axe}; return axe.run(${JSON.stringify(rules)}); })()`);
  const found = result.violations.map(
    (one) => `${one.id}: ${one.help} (${one.nodes.map((node) => node.target).join("; ")})`,
  );
  assert.deepEqual(found, [], `${name}: axe-core finds nothing`);
}

/** Looks at a page in light and dark, at both widths, and checks each. */
export async function lookAt(page, name) {
  await mkdir(output, { recursive: true });
  const before = page.viewportSize();
  for (const width of [1440, 390]) {
    for (const scheme of ["light", "dark"]) {
      await page.setViewportSize({ width, height: width < 600 ? 844 : 1000 });
      await page.emulateMedia({ colorScheme: scheme });
      await page.screenshot({ path: join(output, `${name}-${width}-${scheme}.png`), fullPage: true });
      const rules = scheme === "light" ? allRules : colourRules;
      await checkPage(page, `${name} at ${width} px, ${scheme}`, rules);
    }
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: "light" });
}
