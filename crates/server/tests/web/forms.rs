//! Every route that changes something refuses a form that our pages did not send (S-53).

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use copal_server::middleware::audience::Audience;
use copal_server::routes;

use crate::access::fill;
use crate::issues;
use crate::site::Site;

fn posts() -> Vec<&'static str> {
    routes::table()
        .into_iter()
        .filter(|route| route.method == Method::POST)
        .map(|route| route.path)
        .filter(|path| Audience::of(path) == Audience::Page)
        .collect()
}

#[tokio::test]
async fn no_change_without_the_token() {
    let site = Site::start();
    let mut ana = issues::world(&site).await;
    ana.get("/login").await;
    let posts = posts();
    assert!(posts.len() >= 10, "{posts:?}");
    for path in posts {
        for token in ["", "x"] {
            let fields = [("csrf", token), ("name", "n"), ("theme", "dark")];
            let answer = ana.post_as_is(&fill(path), &fields, HeaderMap::new()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
}

#[tokio::test]
async fn no_change_from_another_site_even_with_the_token() {
    let site = Site::start();
    let (mut ana, _) = site.member("Ana").await;
    let token = ana.token().await;
    let fields = [("csrf", &*token), ("name", "Mallory")];
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://copal.test.evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let headers = HeaderMap::from_iter([(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )]);
        let answer = ana.post_as_is("/account", &fields, headers).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    let own = HeaderMap::from_iter([(
        HeaderName::from_static("origin"),
        HeaderValue::from_static("http://copal.test"),
    )]);
    let answer = ana.post_as_is("/account", &fields, own).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_token_of_one_session_is_no_other_sessions() {
    let site = Site::start();
    let (ana, _) = site.member("Ana").await;
    let (mut bo, _) = site.member("Bo").await;
    let token = ana.token().await;
    let answer = bo
        .post_as_is("/account", &[("csrf", &*token)], HeaderMap::new())
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_theme_can_be_switched_by_anybody() {
    let site = Site::start();
    let mut anybody = site.browser();
    anybody.get("/login").await;
    let answer = anybody
        .post("/theme", &[("theme", "dark"), ("next", "/login")])
        .await;
    assert_eq!(answer.location(), "/login");
    assert_eq!(anybody.cookies["copal-theme"], "dark");
    let answer = anybody
        .post("/theme", &[("theme", "light"), ("next", "//evil")])
        .await;
    assert_eq!(answer.location(), "/");
}

#[tokio::test]
async fn every_form_that_is_shown_holds_the_token() {
    let site = Site::start();
    let mut anybody = site.browser();
    let (mut ana, dashboard) = site.member("Ana").await;
    ana.post("/o/anas-workspace/projects/new", &[("name", "shop")])
        .await;
    let settings = format!("{dashboard}/projects/shop/settings");
    for path in ["/signup", "/login", "/nothing"] {
        let page = anybody.get(path).await.body;
        assert!(page.contains(&anybody.token().await), "{path}");
    }
    for path in ["/account", "/o/new", "/nothing", &dashboard, &settings] {
        let page = ana.get(path).await.body;
        assert!(page.contains(&ana.token().await), "{path}");
        let forms = page.matches("method=\"post\"").count();
        assert_eq!(page.matches("name=\"csrf\"").count(), forms, "{path}");
    }
}
