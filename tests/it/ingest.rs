//! Ingest as SDKs meet it: credentials, encodings, limits, and answers that say what is wrong.

mod bad;
mod limits;
mod raw;

use std::io::Write as _;

use reqwest::{Client, Response};

use crate::support::TestApp;

const ID: &str = "0123456789abcdef0123456789abcdef";

fn envelope() -> String {
    format!("{{\"event_id\":\"{ID}\"}}\n{{\"type\":\"event\"}}\n{{\"message\":\"hello\"}}\n")
}

async fn assert_taken(answer: Response, what: &str) {
    let status = answer.status();
    let origin = answer.headers().get("access-control-allow-origin").cloned();
    let text = answer.text().await.unwrap();
    assert_eq!(
        (status.as_u16(), text),
        (200, format!("{{\"id\":\"{ID}\"}}")),
        "{what}"
    );
    assert_eq!(origin.unwrap(), "*", "{what}");
}

async fn assert_refused(answer: Response, status: u16, detail: &str) {
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let found = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    assert_eq!(found, status, "{text}");
    assert!(text.contains(detail), "{text}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn credentials_are_found_wherever_sdks_put_them() {
    let app = TestApp::start();
    let client = Client::new();
    let fields = format!("Sentry sentry_key={}, sentry_version=7", app.key);
    for name in ["X-Sentry-Auth", "Authorization"] {
        let request = client.post(app.envelope_url()).header(name, &fields);
        assert_taken(request.body(envelope()).send().await.unwrap(), name).await;
    }
    let basic = client
        .post(app.envelope_url())
        .basic_auth(&app.key, Some(""));
    assert_taken(basic.body(envelope()).send().await.unwrap(), "basic").await;
    let url = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    let query = client.post(url).body(envelope()).send().await.unwrap();
    assert_taken(query, "query").await;
    let host = app.base_url.strip_prefix("http://").unwrap();
    let dsn = format!(
        "{{\"dsn\":\"http://{}@{host}/{}\",",
        app.key, app.project_id
    );
    let addressed = envelope().replacen('{', &dsn, 1);
    let tunnel = client.post(format!("{}/tunnel", app.base_url));
    assert_taken(tunnel.body(addressed).send().await.unwrap(), "tunnel").await;
}

#[tokio::test]
async fn encodings_are_read_and_bombs_are_not() {
    let app = TestApp::start();
    let client = Client::new();
    let url = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    let post = |encoding: &str, body: Vec<u8>| {
        client
            .post(&url)
            .header("Content-Encoding", encoding)
            .body(body)
            .send()
    };
    for encoding in ["", "identity", "UTF-8"] {
        let answer = post(encoding, envelope().into_bytes()).await.unwrap();
        assert_taken(answer, encoding).await;
    }
    let answer = post("gzip", gzip(envelope().as_bytes())).await.unwrap();
    assert_taken(answer, "gzip").await;
    let zstd = zstd::bulk::compress(envelope().as_bytes(), 1).unwrap();
    assert_taken(post("zstd", zstd).await.unwrap(), "zstd").await;
    let bomb = post("gzip", gzip(&vec![0; (100 << 20) + 1])).await.unwrap();
    assert_refused(bomb, 413, "too large").await;
    let unknown = post("lzma", envelope().into_bytes()).await.unwrap();
    assert_refused(unknown, 415, "unsupported content encoding").await;
}

#[tokio::test]
async fn refusals_say_why() {
    let app = TestApp::start();
    let client = Client::new();
    let right = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    let wrong_key = format!("{}?sentry_key={ID}", app.envelope_url());
    let wrong_project = format!("{}/api/999/envelope/?sentry_key={}", app.base_url, app.key);
    let store = format!(
        "{}/api/{}/store/?sentry_key={}",
        app.base_url, app.project_id, app.key
    );
    let no_dsn = app.envelope_url();
    let cases: [(&str, &str, u16, &str); 7] = [
        (&right, "", 400, "empty request body"),
        (
            &right,
            "{}\n{\"type\":\"event\",\"length\":9}\n{}",
            400,
            "9 bytes",
        ),
        (&wrong_key, "{}", 403, "unknown key or project"),
        (&wrong_project, "{}", 403, "unknown key or project"),
        (&no_dsn, "{}", 401, "missing authorization information"),
        (&store, "not json", 400, "invalid event"),
        (&store, "{\"message\":", 400, "invalid event"),
    ];
    for (url, body, status, detail) in cases {
        let answer = client.post(url).body(body).send().await.unwrap();
        assert_refused(answer, status, detail).await;
    }
}
