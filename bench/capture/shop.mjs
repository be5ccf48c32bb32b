// Calls every generated module once, behind express, watched by an unmodified @sentry/node.
// Usage: SENTRY_DSN=… node shop.mjs FOLDER
import * as Sentry from "@sentry/node";
import express from "express";

Sentry.init({ dsn: process.env.SENTRY_DSN, release: "RRRRRRRRRRRR", environment: "EEEENVI" });

const app = express();
app.get("/orders/:number", async (request, response) => {
  Sentry.setUser({ id: "UUUUUUUU", email: "UUUUUUUU@shop.example" });
  Sentry.setTags({ region: "eu-1", tier: "gold" });
  const module = await import(`${process.argv[2]}/order_${request.params.number}.mjs`);
  response.json(module.run(77777777, "customer 77777777", { express: true }));
});
Sentry.setupExpressErrorHandler(app);
app.use((_error, _request, response, _next) => response.status(500).end());

const server = app.listen(0, "127.0.0.1", async () => {
  for (let kind = 0; kind < 100; kind += 1) {
    const number = String(kind).padStart(2, "0");
    await fetch(`http://127.0.0.1:${server.address().port}/orders/${number}?express=1`);
  }
  await Sentry.flush(30_000);
  process.exit(0);
});
