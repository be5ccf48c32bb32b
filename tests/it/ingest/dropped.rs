//! Kinds of data that are not kept: SDKs are asked not to send them, and go on sending errors.

use reqwest::Client;

use crate::support::{Engine, TestApp, on_each_engine, sdk};

async fn sdks_are_asked_not_to_send_what_is_dropped(engine: Engine) {
    let app = TestApp::start(engine);
    let url = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    let cases = [
        ("event", None),
        ("client_report", None),
        ("of next year", None),
        ("transaction", Some("300:transaction:organization:not_kept")),
        ("check_in", Some("300:monitor:organization:not_kept")),
        ("log", Some("300:log_item:organization:not_kept")),
    ];
    for (item_type, limits) in cases {
        let envelope = format!("{{}}\n{{\"type\":\"{item_type}\"}}\n{{}}");
        let answer = Client::new()
            .post(&url)
            .body(envelope)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{item_type}");
        let told = answer.headers().get("x-sentry-rate-limits");
        assert_eq!(
            told.map(|value| value.to_str().unwrap()),
            limits,
            "{item_type}"
        );
        // It would mean all categories.
        assert!(!answer.headers().contains_key("retry-after"), "{item_type}");
    }
}

async fn an_sdk_that_is_asked_sends_errors_and_nothing_else(engine: Engine) {
    let app = TestApp::start(engine);
    sdk::python_program(&app.dsn(), "traces.py", &[]);
    app.settle().await;
    let mut titles = app.titles().await;
    titles.sort_unstable();
    assert_eq!(titles, ["after a transaction", "after another"]);
    let transactions = "select sum(quantity) from outcomes \
                        where category = 'transaction' and outcome = 'filtered'";
    assert_eq!(app.count(transactions), 1);
}

on_each_engine!(
    async sdks_are_asked_not_to_send_what_is_dropped,
    async an_sdk_that_is_asked_sends_errors_and_nothing_else,
);
