// Opens the page in headless Chromium and clicks every failure.
//
// Usage: node click.mjs DSN [--rounds N] [FAILURE …]
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { chromium } from "playwright-core";

import { chromiumOptions } from "../../chromium.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "1" } },
});
const [dsn, ...chosen] = positionals;
const failures = chosen.length
  ? chosen
  : ["property", "promise", "reference", "syntax", "custom", "message"];

const folder = new URL(".", import.meta.url);
const { outputFiles } = await build({
  entryPoints: [new URL("app.js", folder).pathname],
  bundle: true,
  write: false,
  logLevel: "error",
});
const page = await readFile(new URL("page.html", folder));
const server = createServer((request, response) => {
  const path = request.url.split("?")[0];
  if (path === "/") {
    response.setHeader("content-type", "text/html").end(page);
  } else if (path === "/app.bundle.js") {
    response.setHeader("content-type", "text/javascript").end(outputFiles[0].text);
  } else {
    response.writeHead(404).end();
  }
}).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));

const browser = await chromium.launch(chromiumOptions);
for (let round = 0; round < Number(values.rounds); round += 1) {
  const tab = await browser.newPage();
  const url = new URL(`http://127.0.0.1:${server.address().port}/`);
  url.searchParams.set("dsn", dsn);
  url.searchParams.set("user", `visitor-${round + 1}`);
  await tab.goto(url.href);
  for (const name of failures) {
    await tab.click(`#${name}`);
  }
  await tab.waitForTimeout(300);
  await tab.evaluate(() => window.flushed());
  await tab.close();
}
await browser.close();
server.close();
