//! Who is refused, and how a refusal reads.

use reqwest::Method;
use serde_json::{Value, json};

use super::{exception, fields};
use crate::support::call::{Answer, client};
use crate::support::{Engine, TestApp, on_each_engine};

/// Asserts that an answer is a problem (RFC 9457) that names its request.
fn assert_problem(answer: &Answer, status: u16, kind: &str) {
    let problem = answer.json(status);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let members = ["detail", "requestId", "status", "title", "type"];
    assert_eq!(fields(&problem), members);
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], format!("urn:copal:problem:{kind}"));
    assert_eq!(problem["requestId"], answer.header("x-request-id"));
}

async fn refusals_are_problems_that_name_their_request(engine: Engine) {
    let app = TestApp::start(engine);
    let nobody = client().get(app.url("/me"));
    let nobody = Answer::to(nobody).await;
    assert_problem(&nobody, 401, "unauthorized");
    assert_eq!(nobody.header("www-authenticate"), "Bearer realm=\"copal\"");
    let wrong = app.call("copal_wrong", Method::GET, "/me", None).await;
    assert_problem(&wrong, 401, "unauthorized");
    let missing = app.ask(Method::GET, "/issues/SHOP-7", None).await;
    assert_problem(&missing, 404, "not-found");
    let nowhere = app.call(&app.token, Method::GET, "/nowhere", None).await;
    assert_problem(&nowhere, 404, "not-found");
    let put = app.call(&app.token, Method::PUT, "/me", None).await;
    assert_problem(&put, 405, "method-not-allowed");
    assert_eq!(put.header("allow"), "GET,HEAD,PATCH");
    let query = app.ask(Method::GET, "/issues?query=is:lost", None).await;
    assert_problem(&query, 400, "invalid");
    let taken = json!({"slug": "shop"});
    app.project("web");
    let taken = app.ask(Method::PATCH, "/projects/web", Some(taken)).await;
    assert_problem(&taken, 409, "conflict");
}

async fn bodies_that_cannot_be_used_say_why(engine: Engine) {
    let app = TestApp::start(engine);
    let url = app.url(&format!("/organizations/{}/projects", app.org));
    let post = |kind: &str, body: String| {
        let request = client().post(url.clone()).bearer_auth(&app.token);
        Answer::to(request.header("content-type", kind).body(body))
    };
    let json = "application/json";
    for (body, why) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("[]", "not an object"),
        (" [\"a\", null]", "not an object"),
        ("\"a\"", "invalid type"),
        ("{}", "missing field `name`"),
        ("{\"name\":7}", "invalid type"),
        ("{\"name\":\"\"}", "`name`"),
        ("{\"name\":\"  \"}", "`name`"),
        ("{\"name\":\"a\",\"slug\":\"b\"}", "unknown field `slug`"),
        ("{\"name\":\"a\\u0000b\"}", "`name`"),
    ] {
        let answer = post(json, body.to_owned()).await;
        assert_problem(&answer, 400, "invalid");
        assert!(answer.body.contains(why), "{body}: {}", answer.body);
    }
    let name = |chars: usize| format!("{{\"name\":\"{}\"}}", "n".repeat(chars));
    post(json, name(100)).await.json(201);
    assert_problem(&post(json, name(101)).await, 400, "invalid");
    let form = post("application/x-www-form-urlencoded", "name=a".to_owned()).await;
    assert_problem(&form, 415, "unsupported-media-type");
    let filler = |bytes: usize| format!("{{\"name\":\"a\"{}}}", " ".repeat(bytes - 12));
    post(json, filler(64 * 1024)).await.json(201);
    let large = post(json, filler(64 * 1024 + 1)).await;
    assert_problem(&large, 413, "too-large");
}

/// An answer without what differs from request to request.
fn neutral(answer: &Answer) -> (u16, String, Vec<String>) {
    let id = answer.header("x-request-id");
    let varying = ["date", "x-request-id"];
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !varying.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    (answer.status, answer.body.replace(id, "ID"), headers)
}

async fn what_is_foreign_reads_like_what_is_missing(engine: Engine) {
    let app = TestApp::start(engine);
    let event = app.send(&app.shop(), &exception("A", "is broken")).await;
    app.issues_of(1).await;
    let keys = app.get("projects/shop/keys").await;
    let key = keys[0]["id"].as_str().unwrap();
    app.user("Bo");
    let bo = app.token_of("Bo", &[]);
    let org = &app.org;
    let pairs = [
        (
            format!("/organizations/{org}"),
            "/organizations/nobodys".to_owned(),
        ),
        (
            format!("/organizations/{org}/issues/SHOP-1"),
            "/organizations/nobodys/issues/SHOP-1".to_owned(),
        ),
        // In an organization of one's own, things of another are as missing as any.
        (
            "/organizations/bos-workspace/issues/4294967297".to_owned(),
            "/organizations/bos-workspace/issues/4294967999".to_owned(),
        ),
        (
            "/organizations/bos-workspace/projects/1".to_owned(),
            "/organizations/bos-workspace/projects/77".to_owned(),
        ),
        (
            format!("/organizations/bos-workspace/projects/1/events/{event}"),
            format!("/organizations/bos-workspace/projects/77/events/{event}"),
        ),
        (
            format!("/organizations/bos-workspace/projects/shop/keys/{key}"),
            format!("/organizations/bos-workspace/projects/pohs/keys/{key}"),
        ),
    ];
    for (foreign, missing) in pairs {
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            let body = (method == Method::PATCH).then(|| json!({}));
            let foreign = app.call(&bo, method.clone(), &foreign, body.clone());
            let missing = app.call(&bo, method.clone(), &missing, body);
            let (foreign, missing) = (foreign.await, missing.await);
            assert!([404, 405].contains(&foreign.status), "{}", foreign.body);
            assert_eq!(neutral(&foreign), neutral(&missing), "{method}");
        }
    }
    let filtered = "/organizations/bos-workspace/issues?project=shop";
    assert_eq!(app.call(&bo, Method::GET, filtered, None).await.status, 404);
    let searched = "/organizations/bos-workspace/issues?query=project:shop";
    let searched = app.call(&bo, Method::GET, searched, None).await;
    assert_eq!(searched.json(200), json!([]));
}

async fn scopes_narrow_a_token(engine: Engine) {
    let app = TestApp::start(engine);
    let event = app.send(&app.shop(), &exception("A", "is broken")).await;
    app.issues_of(1).await;
    let open = Some(json!({"status": "OPEN"}));
    let event = format!("/projects/shop/events/{event}");
    let label = Some(json!({"label": "x"}));
    let name = Some(json!({"name": "x"}));
    let calls: [(&str, Method, &str, Option<Value>); 12] = [
        ("org:read", Method::GET, "", None),
        ("org:read", Method::GET, "/projects", None),
        ("member:read", Method::GET, "/members", None),
        ("event:read", Method::GET, "/issues", None),
        ("event:read", Method::GET, "/issues/SHOP-1/events", None),
        ("event:read", Method::GET, &event, None),
        ("event:write", Method::PATCH, "/issues/SHOP-1", open),
        ("project:read", Method::GET, "/projects/shop/keys", None),
        ("project:write", Method::POST, "/projects/shop/keys", label),
        ("project:write", Method::POST, "/projects", name),
        ("event:admin", Method::DELETE, "/issues/SHOP-1", None),
        ("project:admin", Method::DELETE, "/projects/shop", None),
    ];
    for (scope, method, path, body) in &calls {
        let others = calls.iter().map(|call| call.0).filter(|one| one != scope);
        let others = app.token_of("Ana", &others.collect::<Vec<_>>());
        let path = format!("/organizations/{}{path}", app.org);
        let call = |token: String| {
            let (app, body, path) = (&app, body.clone(), path.clone());
            async move { app.call(&token, method.clone(), &path, body).await }
        };
        let refused = call(others).await;
        assert_problem(&refused, 403, "forbidden");
        assert!(refused.body.contains(scope), "{}", refused.body);
        let allowed = call(app.token_of("Ana", &[scope])).await;
        assert!(allowed.status < 300, "{method} {path}: {}", allowed.body);
    }
}

async fn keys_are_left_out_for_a_token_that_may_not_see_them(engine: Engine) {
    let app = TestApp::start(engine);
    let narrow = app.token_of("Ana", &["org:read"]);
    let path = format!("/organizations/{}/projects/shop", app.org);
    let shop = app.call(&narrow, Method::GET, &path, None).await.json(200);
    assert!(shop.get("apiKey").is_none(), "{shop}");
    assert!(shop.get("dsn").is_none(), "{shop}");
    assert_eq!(shop["slug"], "shop");
}

on_each_engine!(
    async refusals_are_problems_that_name_their_request,
    async bodies_that_cannot_be_used_say_why,
    async what_is_foreign_reads_like_what_is_missing,
    async scopes_narrow_a_token,
    async keys_are_left_out_for_a_token_that_may_not_see_them,
);
