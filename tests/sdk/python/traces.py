"""Sends a transaction before each of two messages, and waits for the answers.

Run with SENTRY_DSN in the environment.
"""

import sentry_sdk

sentry_sdk.init(traces_sample_rate=1.0)

for message in ["after a transaction", "after another"]:
    with sentry_sdk.start_transaction(op="task", name="nightly"):
        pass
    sentry_sdk.flush(timeout=30)
    sentry_sdk.capture_message(message)
    sentry_sdk.flush(timeout=30)
