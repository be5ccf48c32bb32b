// The pages that a running program shows seldom, from their samples: what a viewer sees, what is
// refused, broken, blocked or empty. Served as the program serves them: under the same policy.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { launch, lookAt, openPage, startCopal } from "./support.mjs";

const root = new URL("../..", import.meta.url).pathname;
const kinds = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml" };
let folder, server, browser, policy;

before(async () => {
  const copal = await startCopal();
  policy = (await fetch(`${copal.url}/login`)).headers.get("content-security-policy");
  await copal.stop();
  folder = await mkdtemp(join(tmpdir(), "copal-gallery-"));
  const words = ["run", "--quiet", "--package", "copal-ui", "--example", "gallery", "--", folder];
  await promisify(execFile)("cargo", words, { cwd: root });
  server = createServer(async (request, response) => {
    const name = request.url.split("?")[0].slice(1);
    try {
      const bytes = await readFile(join(folder, name));
      response.writeHead(200, { "content-type": kinds[extname(name)], "content-security-policy": policy });
      response.end(bytes);
    } catch {
      response.writeHead(204).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.close();
  if (folder) await rm(folder, { recursive: true });
});

/** The other samples are pages that the other journeys visit for real. */
const seldom = /^(failure.*|.*_as_viewer|issue_without_event|issues_no_project)\.html$/;

test("what is refused, broken, blocked or empty is a page to look at", { timeout: 120_000 }, async () => {
  const page = await openPage(browser);
  const names = (await readdir(folder)).filter((name) => seldom.test(name));
  assert.ok(names.length >= 9, `${names}`);
  for (const name of names) {
    await page.goto(`http://127.0.0.1:${server.address().port}/${name}`);
    await lookAt(page, `sample-${name.replace(".html", "")}`);
  }
});
