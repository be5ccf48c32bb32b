//! What people do to issues.

use reqwest::Method;
use serde_json::{Value, json};

use super::exception;
use crate::support::{Engine, TestApp, on_each_engine};

async fn set(app: &TestApp, status: &str) -> Value {
    let change = Some(json!({"status": status}));
    let answer = app.ask(Method::PATCH, "/issues/SHOP-1", change).await;
    answer.json(200)
}

async fn an_issue_is_resolved_comes_back_and_is_ignored(engine: Engine) {
    let app = TestApp::start(engine);
    let event = exception("A", "is broken");
    app.send(&app.shop(), &event).await;
    app.issues_of(1).await;
    let resolved = set(&app, "RESOLVED").await;
    assert_eq!(resolved["status"], "RESOLVED");
    assert_eq!(app.get("issues/SHOP-1").await, resolved);

    app.send(&app.shop(), &event).await;
    app.issues_of(2).await;
    let back = app.get("issues/SHOP-1").await;
    assert_eq!(
        (&back["status"], &back["isRegressed"]),
        (&json!("OPEN"), &json!(true))
    );
    let regressed = app.get("issues?query=is:regressed").await;
    assert_eq!(regressed[0]["shortId"], "SHOP-1");

    let ignored = set(&app, "IGNORED").await;
    assert_eq!(ignored["isRegressed"], false);
    app.send(&app.shop(), &event).await;
    app.issues_of(3).await;
    let counted = app.get("issues/SHOP-1").await;
    assert_eq!(
        (&counted["status"], &counted["eventsCount"]),
        (&json!("IGNORED"), &json!(3))
    );
    assert_eq!(set(&app, "OPEN").await["status"], "OPEN");

    let unchanged = app
        .ask(Method::PATCH, "/issues/SHOP-1", Some(json!({})))
        .await;
    assert_eq!(unchanged.json(200)["status"], "OPEN");
    for wrong in [
        json!({"status": "CLOSED"}),
        json!({"status": "open"}),
        json!({"title": "x"}),
    ] {
        let answer = app.ask(Method::PATCH, "/issues/SHOP-1", Some(wrong)).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
}

async fn a_deleted_issue_is_gone_with_its_events_and_starts_anew(engine: Engine) {
    let app = TestApp::start(engine);
    let event = exception("A", "is broken");
    let id = app.send(&app.shop(), &event).await;
    app.issues_of(1).await;
    let first = app.get("issues/SHOP-1").await;
    let gone = app.ask(Method::DELETE, "/issues/SHOP-1", None).await;
    assert_eq!((gone.status, &*gone.body), (204, ""));
    let missing = [
        "/issues/SHOP-1",
        "/issues/SHOP-1/events",
        &format!("/projects/shop/events/{id}"),
    ];
    for path in missing {
        assert_eq!(app.ask(Method::GET, path, None).await.status, 404, "{path}");
    }
    assert_eq!(app.get("issues").await, json!([]));
    app.send(&app.shop(), &event).await;
    let again = app.issues_of(1).await;
    assert_eq!(again[0]["shortId"], "SHOP-2", "numbers are not used twice");
    assert_eq!(again[0]["fingerprint"], first["fingerprint"]);
}

on_each_engine!(
    async an_issue_is_resolved_comes_back_and_is_ignored,
    async a_deleted_issue_is_gone_with_its_events_and_starts_anew,
);
