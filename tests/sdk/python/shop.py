"""A small shop that fails in many ways, watched by an unmodified sentry-sdk.

Used twice: the end-to-end tests send from it, and script/capture records what it sends as the
events of `copal demo`. Usage: SENTRY_DSN=… python shop.py [--rounds N] [--unscrubbed] [FAILURE …]
"""

import argparse
import itertools
import logging
import random
import sqlite3

import sentry_sdk
from flask import Flask, request
from sentry_sdk.scrubber import EventScrubber

from warehouse import pricing, stock

app = Flask(__name__)
PEOPLE = [
    {"id": "41", "username": "ana", "email": "ana@shop.example"},
    {"id": "42", "username": "bela", "email": "bela@shop.example"},
    {"id": "43", "username": "chidi", "email": "chidi@shop.example"},
    {"id": "57", "username": "dora", "email": "dora@shop.example"},
    {"email": "guest@shop.example"},
    {"ip_address": "203.0.113.7"},
]
turns = itertools.cycle(PEOPLE)


@app.before_request
def who():
    sentry_sdk.set_user(next(turns))
    sentry_sdk.set_tag("warehouse", random.choice(["north", "south"]))


@app.get("/cart/<int:cart>/total")
def cart_total(cart):
    sentry_sdk.add_breadcrumb(category="cart", message=f"opened cart {cart}", level="info")
    return {"total": pricing.total([{"price": 1999, "quantity": 2}], discount=request.args.get("d"))}


@app.get("/articles/<sku>")
def article(sku):
    return stock.find(sku)


@app.post("/orders")
def order():
    sentry_sdk.set_context("order", {"number": random.randrange(10_000, 99_999), "express": True})
    return stock.reserve(request.get_json()["sku"], quantity=3)


@app.get("/report")
def report():
    with sqlite3.connect(":memory:") as database:
        return {"rows": database.execute("select sum(amount) from sales_2025").fetchall()}


@app.get("/warnings")
def warnings():
    logging.getLogger("shop.stock").warning("stock of %s is low: %d left", "SKU-7", random.randrange(5))
    logging.getLogger("shop.mail").error("mail to %s bounced", "chidi@shop.example")
    return {}


@app.get("/message")
def message():
    sentry_sdk.capture_message("nightly import took longer than an hour", level="warning")
    return {}


@app.get("/fingerprint")
def fingerprint():
    with sentry_sdk.new_scope() as scope:
        scope.fingerprint = ["payment-provider", "timeout"]
        try:
            raise TimeoutError(f"no answer after {random.randrange(20, 40)} s")
        except TimeoutError as error:
            sentry_sdk.capture_exception(error)
    return {}


@app.get("/parallel")
def parallel():
    raise ExceptionGroup("two deliveries failed", [ValueError("no address"), KeyError("carrier")])


@app.get("/export")
def export():
    password = "hunter2"  # a local that must not leave the server's scrubbing
    return {"file": "caf\u00e9.csv".encode("ascii"), "password": password}


@app.get("/deep/<int:depth>")
def deep(depth):
    return {"answer": pricing.recurse(depth)}


FAILURES = {
    "division": lambda client: client.get("/cart/7/total?d=0"),
    "parse": lambda client: client.get("/cart/8/total?d=half"),
    "missing": lambda client: client.get("/articles/SKU-404"),
    "chained": lambda client: client.post("/orders", json={"sku": "SKU-12"}, headers={"Authorization": "Bearer abc"}),
    "database": lambda client: client.get("/report"),
    "logging": lambda client: client.get("/warnings"),
    "message": lambda client: client.get("/message"),
    "fingerprint": lambda client: client.get("/fingerprint"),
    "group": lambda client: client.get("/parallel"),
    "encoding": lambda client: client.get("/export"),
    "recursion": lambda client: client.get("/deep/40"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("failures", nargs="*", choices=[[], *FAILURES])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--unscrubbed", action="store_true", help="leave scrubbing to the server")
    arguments = parser.parse_args()
    scrubbing = {}
    if arguments.unscrubbed:
        scrubbing = {
            "send_default_pii": True,
            "event_scrubber": EventScrubber(denylist=[], pii_denylist=[]),
        }
    random.seed(7)
    app.testing = False
    client = app.test_client()
    for round_number in range(arguments.rounds):
        sentry_sdk.init(
            release=f"shop@2.4.{round_number % 3}",
            environment="production" if round_number % 4 else "staging",
            server_name=f"web-{round_number % 2 + 1}",
            traces_sample_rate=0,
            **scrubbing,
        )
        for name in arguments.failures or FAILURES:
            FAILURES[name](client)
        sentry_sdk.flush(10)


if __name__ == "__main__":
    main()
