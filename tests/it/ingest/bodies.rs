//! How bodies may be packed: encodings of HTTP, and what old clients do instead.

use reqwest::Client;

use super::{assert_refused, base64, gzip, zlib};
use crate::support::{Engine, TestApp, on_each_engine};

/// An event that compresses well, with a message that names an encoding.
fn event(encoding: &str) -> String {
    let extra = "1,".repeat(2_000);
    format!("{{\"message\":\"by {encoding}\",\"extra\":[{extra}0]}}")
}

async fn every_encoding_is_read_and_recorded(engine: Engine) {
    let app = TestApp::start(engine);
    let client = Client::new();
    let url = format!("{}?sentry_key={}", app.store_url(), app.key);
    // `{"message":"by br"}` by the reference encoder.
    let brotli = b"\x0b\x09\x80{\"message\":\"by br\"}\x03".to_vec();
    let zstd = |event: String| zstd::bulk::compress(event.as_bytes(), 1).unwrap();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("", event("nothing").into()),
        ("identity", event("identity").into()),
        ("UTF-8", event("utf-8").into()),
        ("gzip", gzip(event("gzip").as_bytes())),
        ("GZip", gzip(event("gzip in capitals").as_bytes())),
        ("identity, gzip", gzip(event("a list").as_bytes())),
        ("deflate", zlib(event("deflate").as_bytes())),
        ("zstd", zstd(event("zstd"))),
        ("br", brotli),
    ];
    for (encoding, body) in cases {
        let request = client.post(&url).header("content-encoding", encoding);
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(
            answer.status(),
            200,
            "{encoding}: {:?}",
            answer.text().await
        );
    }
    for (encoding, body) in [
        ("lzma", event("x").into_bytes()),
        ("gzip, gzip", gzip(&gzip(event("x").as_bytes()))),
    ] {
        let request = client.post(&url).header("content-encoding", encoding);
        let answer = request.body(body).send().await.unwrap();
        assert_refused(answer, 415, "send one of gzip, deflate, br, zstd, identity").await;
    }
    for (encoding, body) in [
        ("gzip", event("x").into_bytes()),
        ("gzip", gzip(event("x").as_bytes())[..30].to_vec()),
        ("deflate", event("x").into_bytes()),
        ("zstd", zstd(event("x"))[..20].to_vec()),
        ("br", b"\xff\xff\xff".to_vec()),
    ] {
        let request = client.post(&url).header("content-encoding", encoding);
        let answer = request.body(body).send().await.unwrap();
        assert_refused(answer, 400, &format!("not valid {encoding}")).await;
    }
    app.settle().await;
    let mut titles = app.titles().await;
    titles.sort_unstable();
    assert_eq!(
        titles.join(", "),
        "by a list, by br, by deflate, by gzip, by gzip in capitals, by identity, by nothing, \
         by utf-8, by zstd"
    );
}

async fn old_clients_send_base64_and_events_in_the_query(engine: Engine) {
    let app = TestApp::start(engine);
    let client = Client::new();
    let event = |text: &str| format!("{{\"message\":\"{text}\"}}").into_bytes();
    let url = format!("{}?sentry_key={}", app.store_url(), app.key);
    for body in [base64(&event("base64")), base64(&zlib(&event("zlib")))] {
        let answer = client.post(&url).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    for (data, query) in [
        (event("in the query"), "sentry_data"),
        (
            base64(&zlib(&event("packed in the query"))).into_bytes(),
            "sentry_data",
        ),
    ] {
        let data: String = form_urlencoded::byte_serialize(&data).collect();
        let answer = client
            .get(format!("{url}&{query}={data}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "image/gif");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert!(answer.bytes().await.unwrap().starts_with(b"GIF89a"));
    }
    let none = client.get(&url).send().await.unwrap();
    assert_refused(none, 400, "no sentry_data").await;
    let bad = client
        .get(format!("{url}&sentry_data=nonsense!"))
        .send()
        .await
        .unwrap();
    assert_refused(bad, 400, "invalid event").await;
    app.settle().await;
    let mut titles = app.titles().await;
    titles.sort_unstable();
    assert_eq!(
        titles.join(", "),
        "base64, in the query, packed in the query, zlib"
    );
}

on_each_engine!(
    async every_encoding_is_read_and_recorded,
    async old_clients_send_base64_and_events_in_the_query,
);
