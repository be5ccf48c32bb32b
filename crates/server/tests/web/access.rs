//! Routes × who asks → what they get, from the table's own access rules. A route whose path has a
//! part that this test cannot fill fails it.

use axum::http::{HeaderMap, Method, StatusCode};
use copal_server::middleware::audience::Audience;
use copal_server::routes::{self, RouteAccess};

use crate::site::{Answer, Browser, Site};

/// A path of Ana's organization with things that are there, as far as they can be.
pub(crate) fn fill(path: &str) -> String {
    let part = |segment: &str| {
        match segment {
            "{org}" => "anas-workspace",
            "{project}" => "shop",
            "{issue}" => "SHOP-1",
            "{event}" => "latest",
            "{token}" | "{key}" | "{member}" | "{org_token}" | "{member_token}" => {
                "00000000-0000-0000-0000-000000000000"
            }
            "{session}" => "00000000000000000000000000000000",
            "{checksum}" => "000000000000",
            "{name}" => "app.css",
            other => other,
        }
        .to_owned()
    };
    let filled: Vec<_> = path.split('/').map(part).collect();
    let filled = filled.join("/");
    assert!(
        !filled.contains('{'),
        "{path} has a part that this test does not know"
    );
    filled
}

fn page_routes() -> Vec<(Method, &'static str, RouteAccess)> {
    routes::table()
        .into_iter()
        .map(|route| (route.method, route.path, route.access))
        .filter(|(_, path, _)| Audience::of(path) == Audience::Page)
        .collect()
}

async fn ask(browser: &mut Browser<'_>, method: &Method, path: &str) -> Answer {
    if method == Method::GET {
        browser.get(path).await
    } else {
        browser.post(path, &[]).await
    }
}

/// A site where Ana has a project and Bo is a stranger.
async fn world(site: &Site) -> (Browser<'_>, Browser<'_>) {
    let (mut ana, _) = site.member("Ana").await;
    let answer = ana
        .post("/o/anas-workspace/projects/new", &[("name", "shop")])
        .await;
    assert_eq!(answer.location(), "/o/anas-workspace/projects/shop/guide");
    (ana, site.member("Bo").await.0)
}

#[tokio::test]
async fn nobody_gets_past_the_log_in() {
    let site = Site::start();
    world(&site).await;
    for (method, path, access) in page_routes() {
        let answer = ask(&mut site.browser(), &method, &fill(path)).await;
        match access {
            RouteAccess::Public if method == Method::GET => {
                assert!(!answer.status.is_server_error(), "{path}");
                assert!(!answer.location().starts_with("/login"), "{path}");
            }
            // Without a cookie no form is ours.
            RouteAccess::Public => assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}"),
            RouteAccess::Principal | RouteAccess::Org(_) => {
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{method} {path}");
                assert!(answer.location().starts_with("/login"), "{method} {path}");
            }
            // Not told apart from a path where nothing is.
            RouteAccess::Operator => assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}"),
            RouteAccess::ClientKey => panic!("{path} is no page"),
        }
    }
}

#[tokio::test]
async fn a_token_is_no_session() {
    let site = Site::start();
    world(&site).await;
    for (_, path, access) in page_routes() {
        if let RouteAccess::Org(_) = access {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", "Bearer copal_garbage".parse().unwrap());
            let mut browser = site.browser();
            let answer = browser.post_as_is(&fill(path), &[], headers).await;
            assert!(
                [StatusCode::SEE_OTHER, StatusCode::METHOD_NOT_ALLOWED].contains(&answer.status),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_stranger_cannot_tell_foreign_from_missing() {
    let site = Site::start();
    let (_, mut bo) = world(&site).await;
    for (method, path, access) in page_routes() {
        if let RouteAccess::Org(_) = access {
            let foreign = ask(&mut bo, &method, &fill(path)).await;
            let missing_path = fill(path).replace("anas-workspace", "zzzz-workspace");
            let missing = ask(&mut bo, &method, &missing_path).await;
            assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{method} {path}");
            let neutral = |answer: &Answer| {
                let id = answer.headers["x-request-id"].to_str().unwrap();
                answer
                    .body
                    .replace(id, "ID")
                    .replace("anas-workspace", "ORG")
                    .replace("zzzz-workspace", "ORG")
            };
            assert_eq!(neutral(&foreign), neutral(&missing), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_owner_gets_everywhere() {
    let site = Site::start();
    let (mut ana, _) = world(&site).await;
    for (method, path, access) in page_routes() {
        let ends_the_world = path.ends_with("/delete") || path == "/logout";
        if access == RouteAccess::Public || ends_the_world {
            continue;
        }
        let answer = ask(&mut ana, &method, &fill(path)).await;
        let status = answer.status;
        assert!(
            status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN,
            "{method} {path}: {status}"
        );
        assert!(!answer.location().starts_with("/login"), "{method} {path}");
    }
}

#[tokio::test]
async fn every_page_is_locked_down() {
    let site = Site::start();
    let (mut ana, _) = world(&site).await;
    for (method, path, _) in page_routes() {
        if method != Method::GET {
            continue;
        }
        let answer = ana.get(&fill(path)).await;
        let csp = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            csp.contains("default-src 'none'") && !csp.contains("unsafe"),
            "{path}: {csp}"
        );
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{path}"
        );
        assert!(answer.headers.contains_key("x-request-id"), "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_as_whoever_asks_can_read() {
    let site = Site::start();
    let mut anybody = site.browser();
    let page = anybody.get("/nothing/here").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let api = anybody.get("/api/v1/nothing").await;
    assert_eq!(api.status, StatusCode::NOT_FOUND);
    assert_eq!(api.headers["content-type"], "application/problem+json");
    let wrong = anybody
        .post_as_is("/o/anas-workspace", &[], HeaderMap::new())
        .await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong.headers["allow"], "GET,HEAD");
}
