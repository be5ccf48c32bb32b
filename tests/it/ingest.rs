//! Ingest as SDKs meet it: credentials, encodings, limits, and answers that say what is wrong.

mod bad;
mod bodies;
mod browsers;
mod dropped;
mod gates;
mod keys;
mod limits;
mod moves;
mod quota;
mod raw;
mod settings;

use std::io::Write as _;

use reqwest::{Client, Response};

use crate::support::{Engine, TestApp, on_each_engine};

const ID: &str = "0123456789abcdef0123456789abcdef";

fn envelope() -> String {
    format!("{{\"event_id\":\"{ID}\"}}\n{{\"type\":\"event\"}}\n{{\"message\":\"hello\"}}\n")
}

async fn assert_taken(answer: Response, what: &str) {
    assert_taken_as(answer, ID, what).await;
}

async fn assert_taken_as(answer: Response, id: &str, what: &str) {
    let status = answer.status();
    let origin = answer.headers().get("access-control-allow-origin").cloned();
    let text = answer.text().await.unwrap();
    assert_eq!(
        (status.as_u16(), text),
        (200, format!("{{\"id\":\"{id}\"}}")),
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

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The events that a project has recorded.
async fn recorded(app: &TestApp) -> i64 {
    app.settle().await;
    app.count("select coalesce(sum(events_count), 0) from issues")
}

/// The same credentials in every form, as a header or a query.
fn credentials(key: &str) -> Vec<(&'static str, String, String)> {
    let fields = format!("sentry_key={key}, sentry_version=7, sentry_client=sentry.x/1");
    let legacy = format!("{fields}, sentry_secret=s, sentry_timestamp=1700000000.5");
    let header = |name, value: String| (name, value, String::new());
    let query = |query: String| ("x-none", String::new(), query);
    vec![
        header("X-Sentry-Auth", format!("Sentry {fields}")),
        header("X-Sentry-Auth", format!("sENTRY  {legacy}")),
        header("X-Sentry-Auth", format!("Sentry sentry_key={key}")),
        header(
            "X-Sentry-Auth",
            format!("Sentry sentry_key={key}.no-cache,sentry_version=7.0"),
        ),
        header(
            "X-Sentry-Auth",
            format!("Sentry sentry_version=2,sentry_key={key},new=1"),
        ),
        header("Authorization", format!("Sentry {fields}")),
        header(
            "Authorization",
            format!("Basic {}", base64(format!("{key}:").as_bytes())),
        ),
        header(
            "Authorization",
            format!("basic {}", base64(format!("{key}:s").as_bytes())),
        ),
        query(format!(
            "?sentry_key={key}&sentry_version=7&sentry_client=sentry.javascript.browser%2F8"
        )),
        query(format!("?x=1&sentry_key={key}")),
    ]
}

async fn credentials_are_found_wherever_sdks_put_them(engine: Engine) {
    let app = TestApp::start(engine);
    let client = Client::new();
    let mut sent = 0;
    for (name, value, query) in credentials(&app.key) {
        let id = format!("{sent:032x}");
        for (url, body) in [
            (app.envelope_url(), envelope().replace(ID, &id)),
            (
                app.store_url(),
                format!("{{\"event_id\":\"{id}\",\"message\":\"hello\"}}"),
            ),
        ] {
            let request = client.post(format!("{url}{query}")).header(name, &value);
            let answer = request.body(body).send().await.unwrap();
            assert_taken_as(answer, &id, &format!("{name}: {value}{query}")).await;
        }
        sent += 1;
    }
    // Each id was sent to both endpoints: the second was a duplicate, which is no error.
    assert_eq!(recorded(&app).await, sent);
}

async fn an_envelope_may_say_itself_where_it_belongs(engine: Engine) {
    let app = TestApp::start(engine);
    let client = Client::new();
    let header = format!("{{\"dsn\":\"{}\",\"event_id\":\"{ID}\"}}", app.dsn());
    let addressed = format!("{header}\n{{\"type\":\"event\"}}\n{{}}");
    for path in [
        "/tunnel",
        "/tunnel/",
        &format!("/api/{}/envelope/", app.project_id),
    ] {
        let request = client.post(format!("{}{path}", app.base_url));
        assert_taken(request.body(addressed.clone()).send().await.unwrap(), path).await;
        let request = client.post(format!("{}{path}", app.base_url));
        let request = request.header("content-encoding", "gzip");
        let packed = gzip(addressed.as_bytes());
        assert_taken(request.body(packed).send().await.unwrap(), path).await;
        // A header alone, with no newline behind it.
        let request = client.post(format!("{}{path}", app.base_url));
        assert_taken(request.body(header.clone()).send().await.unwrap(), path).await;
    }
    let elsewhere = addressed.replace(&format!("/{}\"", app.project_id), "/999\"");
    let cases = [
        ("", 401, "missing authorization"),
        ("{}", 401, "missing authorization"),
        ("not json\n", 401, "envelope header"),
        (&*"a".repeat(9_000), 401, "envelope header"),
        ("{\"dsn\":\"nonsense\"}", 401, "dsn"),
        (&*elsewhere, 403, "unknown key or project"),
    ];
    for (body, status, detail) in cases {
        let request = client.post(format!("{}/tunnel", app.base_url));
        let answer = request.body(body.to_owned()).send().await.unwrap();
        assert_refused(answer, status, detail).await;
    }
    assert_eq!(recorded(&app).await, 1);
}

async fn every_path_of_the_protocol_is_served(engine: Engine) {
    let app = TestApp::start(engine);
    let client = Client::new();
    let (project, key) = (&app.project_id, &app.key);
    let event = format!("{{\"event_id\":\"{ID}\"}}");
    for (path, body) in [
        (format!("/api/{project}/envelope/"), envelope()),
        (format!("/api/{project}/envelope"), envelope()),
        (format!("//api///{project}//envelope/"), envelope()),
        (format!("/api/{project}/store/"), event.clone()),
        (format!("/api/{project}/store"), event.clone()),
        ("/api/store/".to_owned(), event.clone()),
        ("/api/store".to_owned(), event.clone()),
        ("//api//store//".to_owned(), event.clone()),
    ] {
        let url = format!("{}{path}?sentry_key={key}", app.base_url);
        let answer = client.post(url).body(body).send().await.unwrap();
        assert_taken(answer, &path).await;
    }
    // Some clients send envelopes to the store endpoint; the content type says so.
    let request = client.post(format!("{}?sentry_key={key}", app.store_url()));
    let request = request.header("content-type", "application/x-sentry-envelope");
    assert_taken(
        request.body(envelope()).send().await.unwrap(),
        "envelope to store",
    )
    .await;
    // Otherwise no content type changes how a body is read.
    for content_type in [
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "text/plain",
    ] {
        let request = client.post(format!("{}?sentry_key={key}", app.envelope_url()));
        let request = request.header("content-type", content_type);
        assert_taken(request.body(envelope()).send().await.unwrap(), content_type).await;
    }
}

async fn a_server_below_a_path_serves_dsns_with_that_path(engine: Engine) {
    let app = TestApp::start_with(engine, &[("COPAL_BASE_URL", "http://errors.example/a/b")]);
    let project = app.get(&format!("projects/{}", app.project_id)).await;
    let dsn = project["dsn"].as_str().unwrap();
    assert_eq!(
        dsn,
        format!("http://{}@errors.example/a/b/{}", app.key, app.project_id)
    );
    let client = Client::new();
    for prefix in ["/a/b", "//a//b/", ""] {
        let path = format!("{prefix}/api/{}/envelope/", app.project_id);
        let url = format!("{}{path}?sentry_key={}", app.base_url, app.key);
        assert_taken(
            client.post(url).body(envelope()).send().await.unwrap(),
            &path,
        )
        .await;
    }
}

async fn who_hangs_up_after_the_last_byte_has_sent_an_event(engine: Engine) {
    let app = TestApp::start(engine);
    let target = format!("/api/{}/envelope/?sentry_key={}", app.project_id, app.key);
    for number in 0..20 {
        let body = envelope().replace(ID, &format!("{number:032x}"));
        let mut raw = raw::Raw::connect(&app);
        if number % 2 == 0 {
            raw.head(
                "POST",
                &target,
                &format!("content-length: {}\r\n", body.len()),
            );
            raw.send(body.as_bytes());
        } else {
            raw.head("POST", &target, "transfer-encoding: chunked\r\n");
            raw.chunk(body.as_bytes()).chunk(b"");
        }
        drop(raw);
    }
    let began = std::time::Instant::now();
    while recorded(&app).await < 20 {
        assert!(began.elapsed().as_secs() < 20, "{}", recorded(&app).await);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

on_each_engine!(
    async credentials_are_found_wherever_sdks_put_them,
    async an_envelope_may_say_itself_where_it_belongs,
    async every_path_of_the_protocol_is_served,
    async a_server_below_a_path_serves_dsns_with_that_path,
    async who_hangs_up_after_the_last_byte_has_sent_an_event,
);
