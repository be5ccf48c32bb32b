//! Health, readiness and metrics, as operators ask for them.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use copal_server::listen::Peer;

use crate::site::{JOURNAL_BYTES_MAX, Site};

async fn ask(
    site: &Site,
    path: &str,
    peer: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, String) {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    let answer = site.send(request).await;
    (answer.status, answer.body)
}

/// The key of a new project.
async fn client_key(site: &Site) -> String {
    let (mut ana, _) = site.member("Ana").await;
    ana.post("/o/anas-workspace/projects/new", &[("name", "shop")])
        .await;
    let guide = ana.get("/o/anas-workspace/projects/shop/guide").await;
    let (_, dsn) = guide.body.split_once("http://").unwrap();
    dsn.split('@').next().unwrap().to_owned()
}

const HERE: &str = "127.0.0.1:9";
const ELSEWHERE: &str = "192.0.2.7:9";

#[tokio::test]
async fn a_server_is_ready_until_it_takes_no_events() {
    let site = Site::start();
    let ready = || ask(&site, "/readyz", ELSEWHERE, &[]);
    assert_eq!(ready().await, (StatusCode::OK, "ready\n".to_owned()));

    let journal = &site.app.operate.journal;
    for bytes in [JOURNAL_BYTES_MAX / 8, 1] {
        let record = vec![0; usize::try_from(bytes).unwrap()];
        while journal.append(record.clone()).await.is_ok() {}
    }
    let full = (
        StatusCode::SERVICE_UNAVAILABLE,
        "the journal is full\n".to_owned(),
    );
    assert_eq!(ready().await, full);
    // What SDKs are told meanwhile.
    let key = client_key(&site).await;
    let event = Request::post(format!("/api/1/store/?sentry_key={key}"));
    let refused = site.send(event.body(Body::from("{}")).unwrap()).await;
    assert_eq!(
        refused.status,
        StatusCode::TOO_MANY_REQUESTS,
        "{}",
        refused.body
    );
    assert_eq!(refused.headers["retry-after"], "60");
    assert_eq!(
        refused.headers["x-sentry-rate-limits"],
        "60::organization:overloaded"
    );

    // Recorded: there is room again.
    journal.forget(journal.stats().last_sequence);
    while ready().await.0 != StatusCode::OK {
        tokio::task::yield_now().await;
    }
    journal.close().await;
    let stopping = (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    assert_eq!(ready().await, stopping);
    let alive = ask(&site, "/healthz", ELSEWHERE, &[]).await;
    assert_eq!(alive, (StatusCode::OK, "alive\n".to_owned()));
}

#[tokio::test]
async fn metrics_are_told_on_this_machine_or_to_who_has_the_token() {
    let token = "a-token-of-24-characters";
    let bearer = format!("Bearer {token}");
    let site = Site::start();
    let with_token = Site::with_operator_token(token);
    let none: &[(&str, &str)] = &[];
    let forwarded = [("x-forwarded-for", "192.0.2.7")];
    let (right, wrong) = (
        [("authorization", &*bearer)],
        [("authorization", "Bearer x")],
    );
    let cases = [
        (&site, HERE, none, true),
        (&site, "[::1]:9", none, true),
        (&site, "[::ffff:127.0.0.1]:9", none, true),
        (&site, ELSEWHERE, none, false),
        // Through a proxy on this machine.
        (&site, HERE, &forwarded[..], false),
        (&site, ELSEWHERE, &right[..], false),
        (&with_token, ELSEWHERE, &right[..], true),
        (&with_token, ELSEWHERE, &wrong[..], false),
        (&with_token, HERE, none, true),
    ];
    for (site, peer, headers, is_told) in cases {
        let (status, body) = ask(site, "/metrics", peer, headers).await;
        let expected = if is_told {
            StatusCode::OK
        } else {
            StatusCode::NOT_FOUND
        };
        assert_eq!(status, expected, "{peer} {headers:?}");
        assert!(is_told || body.is_empty(), "{body}");
    }
}
