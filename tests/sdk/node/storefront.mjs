// A storefront that fails in many ways, watched by an unmodified @sentry/node.
//
// Used twice: the end-to-end tests send from it, and script/capture records what it sends as the
// events of `copal demo`. Usage: SENTRY_DSN=… node storefront.mjs [--rounds N] [FAILURE …]
import * as Sentry from "@sentry/node";
import express from "express";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "1" } },
});

Sentry.init({
  dsn: process.env.SENTRY_DSN,
  release: "storefront@1.9.2",
  environment: "production",
  sendDefaultPii: true,
});

const people = ["u-100", "u-101", "u-102", "u-103"];
const app = express();

app.use((request, _response, next) => {
  Sentry.setUser({ id: request.query.user, ip_address: "198.51.100.4" });
  Sentry.addBreadcrumb({ category: "navigation", message: `opened ${request.path}` });
  next();
});

app.get("/product/:id", (request) => {
  const product = [{ id: 1, name: "Lamp" }].find((one) => one.id === Number(request.params.id));
  return product.name.toUpperCase();
});

app.get("/config", async () => {
  await readFile("/nonexistent/storefront.json");
});

app.get("/payment", async () => {
  try {
    throw new RangeError(`amount ${Math.floor(Math.random() * 900)} is over the limit`);
  } catch (cause) {
    throw new Error("payment was refused", { cause });
  }
});

app.get("/search", (request) => new RegExp(request.query.q));

app.get("/json", () => JSON.parse("{not json"));

app.get("/report", (_request, response) => {
  Sentry.captureMessage("recommendations are stale", "warning");
  response.end();
});

Sentry.setupExpressErrorHandler(app);
app.use((_error, _request, response, _next) => response.status(500).end("failed"));

const failures = {
  property: "/product/9?",
  file: "/config?",
  cause: "/payment?",
  regex: "/search?q=(&",
  json: "/json?",
  message: "/report?",
};

const server = app.listen(0, "127.0.0.1", async () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const name of positionals.length ? positionals : Object.keys(failures)) {
      await fetch(`${base}${failures[name]}user=${people[round % people.length]}`);
    }
  }
  await Sentry.flush(10_000);
  server.close();
  process.exit(0);
});
