//! Tokens of organizations and of people, and sessions: made, used, seen and ended.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use copal_model::Role;

use crate::site::{Answer, Browser, PASSWORD, Site};

const ORG: &str = "/api/v1/organizations/anas-workspace";
const PAGE: &str = "/o/anas-workspace/settings/tokens";

/// Calls the API with a token.
async fn call(site: &Site, method: Method, path: &str, token: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json");
    site.send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

async fn status(site: &Site, path: &str, token: &str) -> StatusCode {
    call(site, Method::GET, path, token, "").await.status
}

/// What a page shows once.
fn shown(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let (_, rest) = answer.body.split_once("id=\"new-token\">").unwrap();
    rest.split('<').next().unwrap().to_owned()
}

async fn make(ana: &mut Browser<'_>, scopes: &[&str]) -> String {
    let mut fields = vec![("name", "build server")];
    fields.extend(scopes.iter().map(|&scope| ("scope", scope)));
    shown(&ana.post(PAGE, &fields).await)
}

/// The last segment but one of the first form action on a page that begins so.
fn id_in(page: &Answer, before: &str) -> String {
    let (_, rest) = page.body.split_once(before).unwrap();
    rest.split('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_of_an_organization_opens_that_one_as_far_as_its_scopes_go() {
    let site = Site::start();
    let (mut ana, _) = site.member("Ana").await;
    let (_bo, _) = site.member("Bo").await;
    let token = make(&mut ana, &["project:write", "org:read"]).await;
    assert!(token.starts_with("copal_org_"), "{token}");
    assert_eq!(status(&site, ORG, &token).await, StatusCode::OK);
    let projects = format!("{ORG}/projects");
    let new = "{\"name\":\"Shop\"}";
    let made = call(&site, Method::POST, &projects, &token, new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let issues = call(&site, Method::GET, &format!("{ORG}/issues"), &token, "").await;
    assert_eq!(issues.status, StatusCode::FORBIDDEN);
    assert!(issues.body.contains("event:read"), "{}", issues.body);
    let foreign = "/api/v1/organizations/bos-workspace";
    assert_eq!(status(&site, foreign, &token).await, StatusCode::NOT_FOUND);
    let all = call(&site, Method::GET, "/api/v1/organizations", &token, "").await;
    let all: serde_json::Value = serde_json::from_str(&all.body).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 1);
    assert_eq!(
        (&all[0]["slug"], &all[0]["role"]),
        (&"anas-workspace".into(), &"ADMIN".into())
    );
}

#[tokio::test]
async fn a_token_of_an_organization_is_nobody() {
    let site = Site::start();
    let (mut ana, _) = site.member("Ana").await;
    let token = make(&mut ana, &["org:read", "member:read"]).await;
    for (method, path) in [
        (Method::GET, "/api/v1/me"),
        (Method::PATCH, "/api/v1/me"),
        (Method::GET, "/api/v1/me/tokens"),
        (Method::POST, "/api/v1/organizations"),
    ] {
        let answer = call(&site, method, path, &token, "{\"name\":\"x\"}").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(answer.body.contains("person-needed"), "{}", answer.body);
    }
    for (method, path) in [
        (Method::GET, format!("{ORG}/tokens")),
        (Method::GET, format!("{ORG}/member-tokens")),
        (Method::PATCH, ORG.to_owned()),
        (Method::DELETE, ORG.to_owned()),
    ] {
        let answer = call(&site, method, &path, &token, "{\"name\":\"x\"}").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn nobody_makes_a_token_that_changes_members_or_the_organization() {
    let site = Site::start();
    let (mut ana, _) = site.member("Ana").await;
    for scope in ["member:admin", "org:write", "nonsense"] {
        let fields = [("name", "x"), ("scope", scope)];
        let answer = ana.post(PAGE, &fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{scope}");
    }
    let without = ana.post(PAGE, &[("name", "x")]).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(without.body.contains("Tick what it may do"));
    let page = ana.get(PAGE).await;
    assert!(page.body.contains("There is none yet."));
}

#[tokio::test]
async fn making_one_needs_a_fresh_session_and_the_role() {
    let site = Site::start();
    let (mut ana, _) = site.member("Ana").await;
    let (mut bo, _) = site.member("Bo").await;
    let fields = [("name", "x"), ("scope", "event:read")];
    for (role, status) in [
        (Role::Viewer, StatusCode::FORBIDDEN),
        (Role::Member, StatusCode::FORBIDDEN),
        (Role::Admin, StatusCode::OK),
    ] {
        site.join("bo@shop.example", role);
        assert_eq!(bo.get(PAGE).await.status, status, "{role}");
        assert_eq!(bo.post(PAGE, &fields).await.status, status, "{role}");
    }
    site.wait_secs(15 * 60 + 1);
    assert_eq!(ana.get(PAGE).await.status, StatusCode::OK);
    let stale = ana.post(PAGE, &fields).await;
    assert_eq!(stale.status, StatusCode::SEE_OTHER);
    assert_eq!(stale.location(), "/account/confirm?next=%2F");
}

#[tokio::test]
async fn a_token_is_revoked_by_page_and_by_session_in_the_api() {
    let site = Site::start();
    let (mut ana, _) = site.member("Ana").await;
    let page_one = make(&mut ana, &["org:read"]).await;
    site.wait_secs(1);
    let api_one = make(&mut ana, &["org:read"]).await;
    let page = ana.get(PAGE).await;
    assert!(!page.body.contains(&page_one), "shown once only");
    let newest = id_in(&page, "action=\"/o/anas-workspace/settings/tokens/");
    let path = format!("{ORG}/tokens/{newest}");
    let answer = with_session(&site, &ana, Method::DELETE, &path).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
    assert_eq!(status(&site, ORG, &api_one).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&site, ORG, &page_one).await, StatusCode::OK);
    let listed = with_session(&site, &ana, Method::GET, &format!("{ORG}/tokens")).await;
    let listed: serde_json::Value = serde_json::from_str(&listed.body).unwrap();
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(listed[0]["creatorIsMember"], true);
    let answer = ana.post(&format!("{PAGE}/{id}/delete"), &[]).await;
    assert_eq!(answer.location(), PAGE);
    assert_eq!(
        status(&site, ORG, &page_one).await,
        StatusCode::UNAUTHORIZED
    );
}

/// Calls the API in the session of a browser, as scripts of our pages do.
async fn with_session(site: &Site, browser: &Browser<'_>, method: Method, path: &str) -> Answer {
    let cookie = format!("copal={}", browser.cookies["copal"]);
    let csrf = HeaderName::from_static("x-csrf-token");
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, cookie)
        .header(csrf, browser.token().await);
    site.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_members_token_is_kept_out_here_and_works_elsewhere() {
    let site = Site::start();
    let (mut ana, _) = site.member("Ana").await;
    let (mut bo, _) = site.member("Bo").await;
    site.join("bo@shop.example", Role::Admin);
    let token = shown(&bo.post("/account/tokens", &[("name", "laptop")]).await);
    assert_eq!(status(&site, ORG, &token).await, StatusCode::OK);
    let page = ana.get(PAGE).await;
    assert!(!page.body.contains("laptop"), "what Bo calls it is Bo's");
    let id = id_in(&page, "action=\"/o/anas-workspace/settings/tokens/members/");
    let path = format!("{PAGE}/members/{id}/revoke");
    assert_eq!(ana.post(&path, &[]).await.location(), PAGE);
    let refused = call(&site, Method::GET, ORG, &token, "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("token-shut-out"), "{}", refused.body);
    let own = "/api/v1/organizations/bos-workspace";
    assert_eq!(status(&site, own, &token).await, StatusCode::OK);
    let all = call(&site, Method::GET, "/api/v1/organizations", &token, "").await;
    assert!(!all.body.contains("anas-workspace"), "{}", all.body);
}

#[tokio::test]
async fn a_personal_token_is_narrowed_and_ends_as_chosen() {
    let site = Site::start();
    let (mut ana, _) = site.member("Ana").await;
    let fields = [
        ("name", "week"),
        ("reach", "some"),
        ("scope", "org:read"),
        ("expires", "7"),
    ];
    let token = shown(&ana.post("/account/tokens", &fields).await);
    assert_eq!(status(&site, ORG, &token).await, StatusCode::OK);
    let projects = call(
        &site,
        Method::POST,
        &format!("{ORG}/projects"),
        &token,
        "{}",
    )
    .await;
    assert_eq!(projects.status, StatusCode::FORBIDDEN);
    let listed = with_session(&site, &ana, Method::GET, "/api/v1/me/tokens").await;
    let listed: serde_json::Value = serde_json::from_str(&listed.body).unwrap();
    assert_eq!(listed[0]["scopes"], serde_json::json!(["org:read"]));
    // Tokens do not see tokens, however wide they are (S-14).
    let wide = shown(&ana.post("/account/tokens", &[("name", "wide")]).await);
    let seen = call(&site, Method::GET, "/api/v1/me/tokens", &wide, "").await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    site.wait_secs(7 * 86_400 - 1);
    assert_eq!(status(&site, ORG, &token).await, StatusCode::OK);
    site.wait_secs(1);
    assert_eq!(status(&site, ORG, &token).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_person_sees_and_ends_sessions() {
    let site = Site::start();
    let (mut ana, dashboard) = site.member("Ana").await;
    let mut phone = site.browser();
    phone.get("/login").await;
    let agent = HeaderValue::from_static(
        "Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0",
    );
    let token = phone.token().await;
    let fields = [
        ("email", "ana@shop.example"),
        ("password", PASSWORD),
        ("csrf", &token),
    ];
    let headers = [(header::USER_AGENT, agent)].into_iter().collect();
    phone.post_as_is("/login", &fields, headers).await;
    let mut desk = site.browser();
    desk.get("/login").await;
    desk.post("/login", &fields[..2]).await;

    let page = ana.get("/account").await;
    assert!(page.body.contains("Firefox on Android"), "{}", page.body);
    assert_eq!(page.body.matches("this one").count(), 1);
    let (_, rest) = page.body.split_once("Firefox on Android").unwrap();
    let (_, rest) = rest.split_once("/account/sessions/").unwrap();
    let id = rest.split('/').next().unwrap();
    let path = format!("/account/sessions/{id}/end");
    // Nobody ends another's.
    let (mut bo, _) = site.member("Bo").await;
    assert_eq!(bo.post(&path, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ana.post(&path, &[]).await.location(), "/account");
    assert_eq!(phone.get(&dashboard).await.status, StatusCode::SEE_OTHER);
    assert_eq!(desk.get(&dashboard).await.status, StatusCode::OK);
    let ended = ana.post("/account/sessions/end", &[]).await;
    assert_eq!(ended.location(), "/account");
    assert_eq!(desk.get(&dashboard).await.status, StatusCode::SEE_OTHER);
    assert_eq!(ana.get(&dashboard).await.status, StatusCode::OK);
    assert_eq!(bo.get("/o/bos-workspace").await.status, StatusCode::OK);
}
