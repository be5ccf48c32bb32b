//! SDKs in browsers: any page may send, and may read whatever it is answered.

use reqwest::Client;

use super::envelope;
use crate::support::{Engine, TestApp, on_each_engine};

async fn browsers_may_send_and_may_read_every_answer(engine: Engine) {
    let app = TestApp::start(engine);
    let client = Client::new();
    let right = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    let with_key = |path: &str| format!("{}{path}?sentry_key={}", app.base_url, app.key);
    let large = "a".repeat((1 << 20) + 1);
    let post = |url: &str| client.post(url);
    let answers = [
        (200, post(&right).body(envelope())),
        (400, post(&right).body("nonsense")),
        (400, post(&with_key("/api/shop/envelope/"))),
        (401, post(&app.envelope_url()).body("{}")),
        (403, post(&with_key("/api/999/envelope/")).body("{}")),
        (404, post(&with_key("/api/1/nothing/")).body("{}")),
        (405, client.put(&right).body("{}")),
        (413, post(&with_key("/api/store/")).body(large)),
        (
            415,
            post(&right).header("content-encoding", "lzma").body("{}"),
        ),
    ];
    for (status, request) in answers {
        let request = request.header("origin", "https://shop.example");
        let answer = request.send().await.unwrap();
        let headers = answer.headers();
        assert_eq!(answer.status(), status);
        assert_eq!(headers["access-control-allow-origin"], "*", "{status}");
        let exposed = headers["access-control-expose-headers"].to_str().unwrap();
        assert_eq!(exposed, "x-sentry-error, x-sentry-rate-limits, retry-after");
        assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");
        assert!(!headers.contains_key("access-control-allow-credentials"));
        let said: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(
            said["detail"].is_string(),
            status != 200,
            "{status}: {said}"
        );
    }
}

async fn browsers_that_ask_first_are_told_what_they_may_send(engine: Engine) {
    let app = TestApp::start(engine);
    let client = Client::new();
    let project = &app.project_id;
    for path in [
        format!("/api/{project}/envelope/"),
        format!("/api/{project}/envelope"),
        format!("/api/{project}/store/"),
        format!("/api/{project}/store"),
        "/api/store/".to_owned(),
        "/api/store".to_owned(),
        "/tunnel".to_owned(),
        "/tunnel/".to_owned(),
    ] {
        let request = client.request(reqwest::Method::OPTIONS, format!("{}{path}", app.base_url));
        let request = request.header("origin", "https://shop.example");
        let answer = request.send().await.unwrap();
        let headers = answer.headers();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert_eq!(headers["access-control-allow-methods"], "POST");
        assert_eq!(headers["access-control-max-age"], "3600");
        let allowed = headers["access-control-allow-headers"].to_str().unwrap();
        for header in [
            "x-sentry-auth",
            "content-type",
            "content-encoding",
            "sentry-trace",
            "baggage",
        ] {
            assert!(allowed.split(", ").any(|name| name == header), "{allowed}");
        }
    }
}

on_each_engine!(
    async browsers_may_send_and_may_read_every_answer,
    async browsers_that_ask_first_are_told_what_they_may_send,
);
