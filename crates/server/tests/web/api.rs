//! The REST API × who asks, from the route table.

use axum::body::Body;
use axum::http::{HeaderName, Method, Request, StatusCode, header};
use copal_model::TokenId;
use copal_server::auth::secret::Secret;
use copal_server::middleware::audience::Audience;
use copal_server::routes::{self, RouteAccess};
use copal_store::tokens::Token;

use crate::access::fill;
use crate::site::{Answer, Browser, Site};

fn api_routes() -> Vec<(Method, &'static str, RouteAccess)> {
    routes::table()
        .into_iter()
        .map(|route| (route.method, route.path, route.access))
        .filter(|(_, path, _)| Audience::of(path) == Audience::Api)
        .collect()
}

/// A token of the user with this address.
async fn token(site: &Site, email: &str, scopes: Option<&[&str]>) -> String {
    let email = copal_model::Email::parse(email).unwrap();
    let user = site
        .app
        .store
        .find_login(&email)
        .await
        .unwrap()
        .unwrap()
        .user;
    let secret = Secret::new_token(&*site.app.entropy);
    let token = Token {
        id: TokenId::new(copal_server::fresh::uuid_v4(&*site.app.entropy)),
        user: user.id,
        name: "test".to_owned(),
        prefix: secret.token_shown(),
        scopes: scopes.map(|scopes| scopes.iter().map(|&scope| scope.to_owned()).collect()),
        created_at: site.app.clock.now(),
        last_used_at: None,
        expires_at: None,
    };
    site.app
        .store
        .create_token(token, secret.hash())
        .await
        .unwrap();
    secret.expose().to_owned()
}

async fn call(site: &Site, method: &Method, path: &str, headers: &[(HeaderName, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.header(header::CONTENT_TYPE, "application/json");
    site.send(request.body(Body::from("{}")).unwrap()).await
}

async fn world(site: &Site) -> Browser<'_> {
    let (mut ana, _) = site.member("Ana").await;
    ana.post("/o/anas-workspace/projects/new", &[("name", "shop")])
        .await;
    site.member("Bo").await;
    ana
}

#[tokio::test]
async fn without_a_valid_token_nobody_gets_in() {
    let site = Site::start();
    world(&site).await;
    let garbage = [(header::AUTHORIZATION, "Bearer copal_garbage")];
    let basic = [(header::AUTHORIZATION, "Basic YTpi")];
    for (method, path, access) in api_routes() {
        for headers in [&[][..], &garbage, &basic] {
            let answer = call(&site, &method, &fill(path), headers).await;
            if access == RouteAccess::Public {
                assert_eq!(answer.status, StatusCode::OK, "{method} {path}");
                continue;
            }
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(
                answer.headers[header::CONTENT_TYPE],
                "application/problem+json"
            );
            assert!(
                answer.headers.contains_key(header::WWW_AUTHENTICATE),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_strangers_token_finds_nothing() {
    let site = Site::start();
    world(&site).await;
    let bearer = format!("Bearer {}", token(&site, "bo@shop.example", None).await);
    let headers = [(header::AUTHORIZATION, &*bearer)];
    for (method, path, access) in api_routes() {
        if let RouteAccess::Org(_) = access {
            let foreign = call(&site, &method, &fill(path), &headers).await;
            let missing_path = fill(path).replace("anas-workspace", "zzzz-workspace");
            let missing = call(&site, &method, &missing_path, &headers).await;
            assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{method} {path}");
            let neutral = |answer: &Answer| {
                let id = answer.headers["x-request-id"].to_str().unwrap();
                answer.body.replace(id, "ID")
            };
            assert_eq!(neutral(&foreign), neutral(&missing), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn scopes_narrow_and_some_things_need_a_session() {
    let site = Site::start();
    world(&site).await;
    let all = format!("Bearer {}", token(&site, "ana@shop.example", None).await);
    let none = format!(
        "Bearer {}",
        token(&site, "ana@shop.example", Some(&[])).await
    );
    for (method, path, access) in api_routes() {
        let RouteAccess::Org(action) = access else {
            continue;
        };
        // There is no issue, so those paths end before the scope is looked at.
        if path.contains("{issue}") {
            continue;
        }
        let headers = [(header::AUTHORIZATION, &*none)];
        let narrowed = call(&site, &method, &fill(path), &headers).await;
        assert_eq!(narrowed.status, StatusCode::FORBIDDEN, "{method} {path}");
        if method == Method::DELETE && action.rule().reach.takes_tokens() {
            continue;
        }
        let headers = [(header::AUTHORIZATION, &*all)];
        let allowed = call(&site, &method, &fill(path), &headers).await;
        let is_refused = allowed.status == StatusCode::FORBIDDEN;
        let by_token = action.rule().reach.takes_tokens();
        assert_eq!(is_refused, !by_token, "{method} {path}");
        assert_ne!(allowed.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
}

#[tokio::test]
async fn a_session_changes_nothing_without_its_token() {
    let site = Site::start();
    let ana = world(&site).await;
    let cookie = format!("copal={}", ana.cookies["copal"]);
    let csrf = ana.token().await;
    let read = call(
        &site,
        &Method::GET,
        "/api/v1/me",
        &[(header::COOKIE, &cookie)],
    )
    .await;
    assert_eq!(read.status, StatusCode::OK);
    for (method, path, access) in api_routes() {
        if method == Method::GET || access == RouteAccess::Public {
            continue;
        }
        let answer = call(&site, &method, &fill(path), &[(header::COOKIE, &cookie)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
    let with_token = [
        (header::COOKIE, &*cookie),
        (HeaderName::from_static("x-csrf-token"), &*csrf),
    ];
    let answer = call(&site, &Method::PATCH, "/api/v1/me", &with_token).await;
    assert!(
        answer.status.is_success(),
        "{}: {}",
        answer.status,
        answer.body
    );
}
