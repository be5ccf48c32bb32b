//! Origins and limits of keys, changed while the server runs.

use std::time::{Duration, Instant};

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::support::{Engine, TestApp, on_each_engine, text};

/// How long a change may take to be noticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);

async fn send(app: &TestApp, origin: Option<&str>) -> Response {
    let url = format!("{}?sentry_key={}", app.store_url(), app.key);
    let mut request = Client::new().post(url).body("{\"message\":\"x\"}");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    request.send().await.unwrap()
}

async fn patch(app: &TestApp, path: &str, body: Value) -> Value {
    let url = format!("{}/api/v1/organizations/{}/{path}", app.base_url, app.org);
    let request = Client::new().request(Method::PATCH, url);
    let answer = request
        .bearer_auth(&app.token)
        .json(&body)
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let told = answer.json().await.unwrap();
    assert!(status.is_success(), "{status} {told}");
    told
}

async fn only_pages_that_may_are_let_in(engine: Engine) {
    let app = TestApp::start(engine);
    assert_eq!(
        send(&app, Some("https://anywhere.example")).await.status(),
        200
    );
    let origins = json!({"allowedOrigins": ["base.example", "https://app.example"]});
    let told = patch(&app, "projects/shop", origins.clone()).await;
    assert_eq!(told["allowedOrigins"], origins["allowedOrigins"]);
    let began = Instant::now();
    let refused = loop {
        let answer = send(&app, Some("https://evil-base.example")).await;
        if answer.status() == 403 {
            break answer;
        }
        assert!(began.elapsed() < NOTICED_WITHIN, "{}", answer.status());
    };
    // The page can read why, and nobody is let see answers with credentials.
    assert_eq!(refused.headers()["access-control-allow-origin"], "*");
    assert!(
        !refused
            .headers()
            .contains_key("access-control-allow-credentials")
    );
    let why = refused.text().await.unwrap();
    assert!(
        why.contains("the origin https://evil-base.example is not"),
        "{why}"
    );
    for (origin, status) in [
        (None, 200),
        (Some("https://base.example"), 200),
        (Some("https://app.example"), 200),
        (Some("http://app.example"), 403),
        (Some("https://base.example.evil"), 403),
        (Some("null"), 403),
    ] {
        assert_eq!(send(&app, origin).await.status(), status, "{origin:?}");
    }
}

async fn a_key_lets_in_as_many_as_it_may(engine: Engine) {
    let app = TestApp::start(engine);
    let keys = app.get("projects/shop/keys").await;
    let key = format!("projects/shop/keys/{}", text(&keys[0]["id"]));
    let limit = json!({"rateLimit": {"events": 3, "seconds": 3600}});
    let told = patch(&app, &key, limit.clone()).await;
    assert_eq!(told["rateLimit"], limit["rateLimit"]);
    tokio::time::sleep(NOTICED_WITHIN).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(send(&app, None).await);
    }
    let let_in = statuses.iter().filter(|answer| answer.status() == 200);
    // The hour may end in between.
    assert!((3..=5).contains(&let_in.count()));
    if let Some(refused) = statuses.iter().find(|answer| answer.status() != 200) {
        assert_eq!(refused.status(), 429);
        let limits = refused.headers()["x-sentry-rate-limits"].to_str().unwrap();
        assert!(limits.ends_with(":error:key:key_limit"), "{limits}");
    }
    patch(
        &app,
        &key,
        json!({"rateLimit": {"events": 0, "seconds": 60}}),
    )
    .await;
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(send(&app, None).await.status(), 200);
}

on_each_engine!(
    async only_pages_that_may_are_let_in,
    async a_key_lets_in_as_many_as_it_may,
);
