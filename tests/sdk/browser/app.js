// A page that fails in many ways, watched by an unmodified @sentry/browser.
//
// The DSN comes from the page's query string; each failure is a button's click.
import * as Sentry from "@sentry/browser";

const query = new URLSearchParams(location.search);

Sentry.init({
  dsn: query.get("dsn"),
  release: "web@5.1.0",
  environment: "production",
});
Sentry.setUser({ id: query.get("user") ?? "visitor-1" });

const cart = { lines: [{ sku: "SKU-7", price: 1999 }], coupon: null };

function applyCoupon(order) {
  return order.coupon.percent / 100;
}

function checkout(order) {
  const reduction = applyCoupon(order);
  return order.lines.reduce((sum, line) => sum + line.price, 0) * (1 - reduction);
}

async function loadOffers() {
  const response = await fetch("/no-such-offers.json");
  if (!response.ok) {
    throw new Error(`offers could not be loaded: ${response.status}`);
  }
}

const failures = {
  property: () => checkout(cart),
  promise: () => void loadOffers(),
  reference: () => window.trackPurchase(cart),
  syntax: () => JSON.parse("<html>"),
  custom: () => {
    const error = new Error("the basket is empty");
    error.name = "BasketError";
    Sentry.captureException(error, { tags: { step: "checkout" } });
  },
  message: () => Sentry.captureMessage("slow page", "info"),
};

for (const [name, fail] of Object.entries(failures)) {
  const button = document.createElement("button");
  button.id = name;
  button.textContent = name;
  button.addEventListener("click", () => fail());
  document.body.append(button);
}
window.flushed = () => Sentry.flush(10_000);
