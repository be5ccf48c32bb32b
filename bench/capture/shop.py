"""Calls every generated module once, behind Flask, watched by an unmodified sentry-sdk."""

import importlib
import logging

import sentry_sdk
from flask import Flask

logging.basicConfig(level=logging.INFO)
sentry_sdk.init(release="RRRRRRRRRRRR", environment="EEEENVI", send_default_pii=True)
app = Flask(__name__)


@app.post("/orders/<int:number>")
def order(number):
    sentry_sdk.set_user({"id": "UUUUUUUU", "email": "UUUUUUUU@shop.example"})
    sentry_sdk.set_tags({"region": "eu-1", "tier": "gold"})
    module = importlib.import_module(f"shop.order_{number:02}")
    return {"result": module.run(77777777, "customer 77777777", {"express": True})}


for kind in range(100):
    app.test_client().post(f"/orders/{kind}?express=1", json={"amount": 77777777})
sentry_sdk.flush(30)
