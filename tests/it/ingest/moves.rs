//! Projects that move, go and come back while events come in.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::support::{Engine, TestApp, on_each_engine, text};

/// How long a change may take to be noticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);
/// Events that are sent before, while and after a project moves.
const EVENTS: u64 = 150;

async fn send(app: &TestApp) -> u16 {
    let url = format!("{}?sentry_key={}", app.store_url(), app.key);
    let request = Client::new().post(url).body("{\"message\":\"x\"}");
    request.send().await.unwrap().status().as_u16()
}

/// Calls the API in an organization.
async fn call(app: &TestApp, method: Method, org: &str, path: &str) -> (u16, Value) {
    let url = format!("{}/api/v1/organizations/{org}{path}", app.base_url);
    let request = Client::new().request(method, url).bearer_auth(&app.token);
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn assert_sound(app: &TestApp) {
    let said = app.run(&["fsck"]);
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.status.success() && text.contains(" 0 violations"),
        "{text}"
    );
}

async fn nothing_is_lost_when_a_project_moves(engine: Engine) {
    let app = TestApp::start(engine);
    let new = [
        "org",
        "create",
        "--owner",
        "ana@example.com",
        "--name",
        "Acme",
    ];
    let acme = app.cli(&[&new[..], &["--json"]].concat());
    let acme = text(&acme["slug"]);
    let ana = app.log_in().await;
    let settings = format!("/o/{}/projects/shop/settings", app.org);
    let page = ana.page(&settings).await;
    let (_, csrf) = page.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = csrf.split('"').next().unwrap();
    let sending = async {
        for _ in 0..EVENTS {
            assert_eq!(send(&app).await, 200);
        }
    };
    let moving = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let path = format!("/o/{}/projects/shop/transfer", app.org);
        ana.submit(&path, &[("csrf", csrf), ("to", acme)]).await
    };
    let ((), landed) = tokio::join!(sending, moving);
    assert!(landed.contains("shop is in Acme now."), "{landed}");
    assert_eq!(send(&app).await, 200, "the DSN stays valid");

    let began = std::time::Instant::now();
    let issue = loop {
        let (status, issues) = call(&app, Method::GET, acme, "/issues").await;
        assert_eq!(status, 200);
        let counted = issues[0]["eventsCount"].as_u64().unwrap_or(0);
        if counted == EVENTS + 1 {
            break issues[0].clone();
        }
        assert!(began.elapsed().as_secs() < 20, "{issues}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(text(&issue["shortId"]), "SHOP-1");
    let (old, _) = call(&app, Method::GET, &app.org, "/projects/shop").await;
    assert_eq!(old, 404);
    let used = async |org: &str| {
        let (_, usage) = call(&app, Method::GET, org, "/usage").await;
        usage["events"].as_u64().unwrap()
    };
    let (before, after) = (used(&app.org).await, used(acme).await);
    assert_eq!(before + after, EVENTS + 1, "each is counted once");
    assert!(after > 0);
    assert_sound(&app);
}

async fn a_deleted_project_refuses_and_comes_back(engine: Engine) {
    let app = TestApp::start(engine);
    assert_eq!(send(&app).await, 200);
    let shop = async |method, path: &str| {
        call(&app, method, &app.org, &format!("/projects/shop{path}")).await
    };
    assert_eq!(shop(Method::DELETE, "").await.0, 204);
    assert_eq!(shop(Method::GET, "").await.0, 404);
    assert_eq!(shop(Method::DELETE, "").await.0, 404);
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(send(&app).await, 403, "as for a key that is unknown");
    let (status, back) = shop(Method::POST, "/restore").await;
    assert_eq!((status, &back["slug"]), (200, &json!("shop")));
    let (again, why) = shop(Method::POST, "/restore").await;
    assert_eq!(
        (again, &why["type"]),
        (409, &json!("urn:copal:problem:not_deleted"))
    );
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(send(&app).await, 200);
    app.issues_of(2).await;

    assert_eq!(shop(Method::DELETE, "").await.0, 204);
    let restore = ["project", "restore", "--org", &app.org, "shop", "--json"];
    assert_eq!(app.cli(&restore)["apiKey"], json!(app.key));
    let refused = app.run(&restore);
    assert_eq!(refused.status.code(), Some(1), "it is not deleted");
    app.issues_of(2).await;
    assert_sound(&app);
}

on_each_engine!(
    async nothing_is_lost_when_a_project_moves,
    async a_deleted_project_refuses_and_comes_back,
);
