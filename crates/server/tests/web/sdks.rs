//! What SDKs call × who asks, from the route table.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use copal_server::middleware::audience::Audience;
use copal_server::routes::{self, RouteAccess};

use crate::site::{Answer, Site};

const BODY: &str = "{\"dsn\":\"http://00000000000000000000000000000000@copal.test/1\"}";

fn sdk_routes() -> Vec<(Method, String, RouteAccess)> {
    routes::table()
        .into_iter()
        .filter(|route| Audience::of(route.path) == Audience::Sdk)
        .map(|route| {
            (
                route.method,
                route.path.replace("{project}", "1"),
                route.access,
            )
        })
        .collect()
}

async fn ask(site: &Site, method: &Method, target: &str, header: (&str, &str)) -> Answer {
    let request = Request::builder().method(method).uri(target);
    let request = request.header(header.0, header.1).body(Body::from(BODY));
    site.send(request.unwrap()).await
}

#[tokio::test]
async fn only_a_client_key_lets_events_in() {
    let site = Site::start();
    let (ana, _) = site.member("Ana").await;
    let session: Vec<_> = ana
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let key = "0".repeat(32);
    let mut seen = 0;
    for (method, path, access) in sdk_routes() {
        if access == RouteAccess::Public {
            assert_eq!(method, Method::OPTIONS, "{path}");
            let answer = ask(&site, &method, &path, ("x-none", "")).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            continue;
        }
        assert_eq!(access, RouteAccess::ClientKey, "{path}");
        seen += 1;
        // The envelope names a key itself; a query, a cookie and a token of the API do not.
        let names_its_key = path.contains("envelope") || path.contains("tunnel");
        let alone = if names_its_key {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::UNAUTHORIZED
        };
        for header in [
            ("x-none", ""),
            ("cookie", &*session.join("; ")),
            ("authorization", "Bearer copal_garbage"),
        ] {
            let target = format!("{path}?sentry_data={{}}");
            let target = if method == Method::GET {
                &target
            } else {
                &path
            };
            let answer = ask(&site, &method, target, header).await;
            let expected = if method == Method::GET {
                StatusCode::UNAUTHORIZED
            } else {
                alone
            };
            assert_eq!(answer.status, expected, "{method} {path} {}", header.0);
        }
        let target = format!("{path}?sentry_key={key}&sentry_data=x");
        let answer = ask(&site, &method, &target, ("x-none", "")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
        assert_eq!(answer.headers["access-control-allow-origin"], "*", "{path}");
    }
    assert_eq!(seen, 12);
}
