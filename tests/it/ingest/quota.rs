//! Plans that are used up: SDKs are told, what was let in is counted, and nobody else notices.

use std::time::{Duration, Instant};

use reqwest::{Client, Response};
use serde_json::Value;

use crate::support::{Engine, TestApp, on_each_engine, text};

/// How long a change of the store may take to be noticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);
/// Events a month here.
const LIMIT: u64 = 5;

fn start(engine: Engine) -> TestApp {
    let limit = LIMIT.to_string();
    TestApp::start_with(engine, &[("COPAL_PLAN_FREE_EVENTS_PER_MONTH", &limit)])
}

async fn send_to(url: &str, body: String) -> Response {
    Client::new().post(url).body(body).send().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    let value = answer.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

/// Asks by client reports, which are never limited, and by events until one is refused.
async fn refused_soon(url: &str) -> Response {
    let began = Instant::now();
    loop {
        let answer = send_to(url, "{\"message\":\"full?\"}".to_owned()).await;
        if answer.status() == 429 {
            return answer;
        }
        let waited = began.elapsed();
        assert!(
            waited < NOTICED_WITHIN,
            "{} after {waited:?}",
            answer.status()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn usage(app: &TestApp) -> Value {
    app.get("usage").await
}

async fn a_plan_that_is_used_up_refuses_events_and_nothing_else(engine: Engine) {
    let app = start(engine);
    let store = format!("{}?sentry_key={}", app.store_url(), app.key);
    let envelope = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    for number in 0..LIMIT {
        let answer = send_to(&store, format!("{{\"message\":\"{number}\"}}")).await;
        assert_eq!(answer.status(), 200);
    }
    app.settle().await;
    let refused = refused_soon(&store).await;
    let wait: u64 = header(&refused, "retry-after").parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    let limits = header(&refused, "x-sentry-rate-limits");
    assert_eq!(limits, format!("{wait}:error:organization:quota_exceeded"));
    assert_eq!(header(&refused, "access-control-allow-origin"), "*");
    assert!(refused.text().await.unwrap().contains("no room for events"));
    // An event is refused in an envelope too; reports and what is not kept are let in.
    let event = "{}\n{\"type\":\"event\"}\n{\"message\":\"x\"}\n";
    assert_eq!(send_to(&envelope, event.to_owned()).await.status(), 429);
    let report = "{}\n{\"type\":\"client_report\"}\n{\"discarded_events\":[]}\n";
    assert_eq!(send_to(&envelope, report.to_owned()).await.status(), 200);
    let session = "{}\n{\"type\":\"session\"}\n{}\n";
    assert_eq!(send_to(&envelope, session.to_owned()).await.status(), 200);
    app.settle().await;
    let before = usage(&app).await;
    assert_eq!(
        (&before["events"], &before["eventsLeft"]),
        (&LIMIT.into(), &0.into())
    );
    assert_eq!(before["plan"], "FREE");

    // Both together: the report is kept, the event is counted as refused, by the store itself.
    let both = format!("{event}{}", report.strip_prefix("{}\n").unwrap());
    assert_eq!(send_to(&envelope, both).await.status(), 429);
    app.settle().await;
    tokio::time::sleep(NOTICED_WITHIN).await;
    let after = usage(&app).await;
    let refused = |usage: &Value| usage["eventsRefused"].as_u64().unwrap();
    assert!(refused(&after) > refused(&before), "{before} {after}");
    let sum = |outcome: &str| {
        app.count(&format!(
            "select cast(coalesce(sum(quantity), 0) as bigint) from outcomes
             where outcome = '{outcome}' and category = 'error'"
        ))
    };
    assert_eq!(sum("accepted").unsigned_abs(), LIMIT);
    assert_eq!(sum("rate_limited").unsigned_abs(), refused(&after));
    assert!(app.run(&["fsck"]).status.success());
}

async fn another_organization_and_another_plan_are_let_in(engine: Engine) {
    let app = start(engine);
    let full = format!("{}?sentry_key={}", app.store_url(), app.key);
    for _ in 0..LIMIT {
        assert_eq!(
            send_to(&full, "{\"message\":\"a\"}".to_owned())
                .await
                .status(),
            200
        );
    }
    app.settle().await;
    refused_soon(&full).await;
    let bob = app.user("Bob");
    let org = text(&bob["defaultOrgSlug"]);
    let made = app.cli(&["project", "create", "--org", org, "--name", "b", "--json"]);
    let (key, id) = (text(&made["apiKey"]), text(&made["id"]));
    let other = format!("{}/api/{id}/store/?sentry_key={key}", app.base_url);
    assert_eq!(
        send_to(&other, "{\"message\":\"b\"}".to_owned())
            .await
            .status(),
        200
    );
    app.cli(&["org", "set-plan", &app.org, "PRO", "--json"]);
    let began = Instant::now();
    while send_to(&full, "{\"message\":\"c\"}".to_owned())
        .await
        .status()
        != 200
    {
        assert!(began.elapsed() < NOTICED_WITHIN, "the plan is not noticed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.settle().await;
    let usage = usage(&app).await;
    assert_eq!(usage["plan"], "PRO");
    assert_eq!(usage["events"].as_u64(), Some(LIMIT + 1));
}

on_each_engine!(
    async a_plan_that_is_used_up_refuses_events_and_nothing_else,
    async another_organization_and_another_plan_are_let_in,
);
