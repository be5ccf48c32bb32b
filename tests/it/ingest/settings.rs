//! What a project says of events on their way in, changed while the server runs.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::support::{Engine, TestApp, on_each_engine, text};

/// How long a change may take to be noticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);

async fn send(app: &TestApp, key: &str, event: Value) -> u16 {
    let url = format!("{}?sentry_key={key}", app.store_url());
    let request = Client::new().post(url).body(event.to_string());
    request.send().await.unwrap().status().as_u16()
}

async fn change(app: &TestApp, method: Method, path: &str, body: Value) -> Value {
    let url = format!("{}/api/v1/organizations/{}/{path}", app.base_url, app.org);
    let request = Client::new().request(method, url).bearer_auth(&app.token);
    let answer = request.json(&body).send().await.unwrap();
    let status = answer.status();
    let told = answer.json().await.unwrap();
    assert!(status.is_success(), "{status} {told}");
    told
}

async fn filters_and_scrubbing_change_what_is_kept(engine: Engine) {
    let app = TestApp::start(engine);
    let event = |message: &str| json!({"message": message, "extra": {"patient_name": "Zoe"}});
    assert_eq!(send(&app, &app.key, event("noise before")).await, 200);
    let path = "projects/shop/inbound";
    assert_eq!(app.get(path).await["scrubbing"]["secrets"], true);
    let wanted = json!({
        "filters": {"errorMessages": ["noise*"]},
        "scrubbing": {"fields": ["patient"]},
    });
    let told = change(&app, Method::PATCH, path, wanted).await;
    assert_eq!(told["filters"]["errorMessages"], json!(["noise*"]));
    assert_eq!(told["filters"]["localhost"], false);
    assert_eq!(told["scrubbing"]["secrets"], true, "left as it was");
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(send(&app, &app.key, event("noise after")).await, 200);
    assert_eq!(send(&app, &app.key, event("signal")).await, 200);
    let issues = app.issues_of(2).await;
    let titles: Vec<_> = issues.iter().map(|issue| text(&issue["title"])).collect();
    assert_eq!(titles.len(), 2, "{titles:?}");
    for issue in &issues {
        let kept = app.latest_event(issue).await["payload"].to_string();
        let is_new = issue["title"] == "signal";
        assert_eq!(kept.contains("Zoe"), !is_new, "{kept}");
        assert_eq!(kept.contains("[Filtered]"), is_new, "{kept}");
    }
    let filtered = app.get(path).await["filtered"].clone();
    assert_eq!(filtered, json!({"error-message": 1}));
}

async fn a_key_is_made_with_a_limit_and_deleted_for_good(engine: Engine) {
    let app = TestApp::start(engine);
    let keys = "projects/shop/keys";
    let new = json!({"label": "app", "rateLimit": {"events": 1, "seconds": 3600}});
    let made = change(&app, Method::POST, keys, new).await;
    assert_eq!(made["rateLimit"], json!({"events": 1, "seconds": 3600}));
    let key = text(&made["publicKey"]).to_owned();
    let event = json!({"message": "x"});
    assert_eq!(send(&app, &key, event.clone()).await, 200);
    let one = format!(
        "{}/api/v1/organizations/{}/{keys}/{}",
        app.base_url,
        app.org,
        text(&made["id"])
    );
    let request = Client::new().delete(one).bearer_auth(&app.token);
    assert_eq!(request.send().await.unwrap().status(), 204);
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(send(&app, &key, event.clone()).await, 403);
    assert_eq!(send(&app, &app.key, event).await, 200);
}

on_each_engine!(
    async filters_and_scrubbing_change_what_is_kept,
    async a_key_is_made_with_a_limit_and_deleted_for_good,
);
