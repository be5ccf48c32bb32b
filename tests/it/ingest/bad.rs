//! Input that is wrong or odd: answered clearly, and nothing is lost of what comes after it.

use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::support::{Engine, TestApp, on_each_engine, text};

/// Nesting that exhausts the stack of whoever reads it by recursion.
const DEEP: usize = 200_000;

/// Where a body is sent to.
#[derive(Clone, Copy, Debug)]
enum To {
    Envelope,
    Store,
}

struct World {
    app: TestApp,
    client: Client,
    neighbours: u64,
}

impl World {
    fn new(engine: Engine) -> Self {
        Self {
            app: TestApp::start(engine),
            client: Client::builder().no_proxy().build().unwrap(),
            neighbours: 0,
        }
    }

    async fn post(&self, url: &str, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
        let request = self.client.post(url).body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        let status = answer.status();
        let body = answer.text().await.unwrap();
        (status, serde_json::from_str(&body).unwrap())
    }

    async fn send(&self, to: To, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
        let url = match to {
            To::Envelope => self.app.envelope_url(),
            To::Store => self.app.store_url(),
        };
        let url = format!("{url}?sentry_key={}", self.app.key);
        self.post(&url, body).await
    }

    /// Sends an event, on the same connection if it was kept, that nothing may have harmed.
    async fn send_neighbour(&mut self) {
        self.neighbours += 1;
        let (status, answer) = self.send(To::Store, "{\"message\":\"neighbour\"}").await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Every neighbour is counted, and nothing ended as our fault.
    async fn assert_nothing_lost(&self) {
        self.app.settle().await;
        let issues = self.app.get("issues?query=title:neighbour").await;
        assert_eq!(issues[0]["eventsCount"], self.neighbours, "{issues}");
        let internal = "select count(*) from outcomes where outcome = 'internal'";
        assert_eq!(self.app.count(internal), 0);
        assert_eq!(self.app.count("select count(*) from quarantine"), 0);
    }
}

fn event_item(event: &str) -> String {
    let length = event.len();
    format!("{{}}\n{{\"type\":\"event\",\"length\":{length}}}\n{event}")
}

async fn what_cannot_be_read_is_refused_with_a_reason(engine: Engine) {
    let mut world = World::new(engine);
    let deep = "[".repeat(DEEP);
    let long_line = format!("{{\"a\":\"{}\"}}\n", "a".repeat(9_000));
    let many_items = format!("{{}}{}", "\n{\"type\":\"x\"}\n".repeat(101));
    let cases: [(To, &str, &str); 15] = [
        (To::Store, "not json", "invalid event"),
        (To::Store, "{\"message\":", "invalid event"),
        (To::Store, "[1]", "no JSON object"),
        (To::Store, " \n", "empty request body"),
        (To::Store, &deep, "invalid event"),
        (To::Envelope, "", "empty request body"),
        (To::Envelope, "not json\n", "bad header"),
        (To::Envelope, "[]\n{}", "bad header"),
        (To::Envelope, &deep, "header line"),
        (To::Envelope, &long_line, "header line"),
        (To::Envelope, "{}\n{\"length\":2}\n{}", "no type"),
        (
            To::Envelope,
            "{}\n{\"type\":\"event\",\"length\":-1}\n{}",
            "length",
        ),
        (
            To::Envelope,
            "{}\n{\"type\":\"event\",\"length\":9}\n{}",
            "9 bytes",
        ),
        (
            To::Envelope,
            "{}\n{\"type\":\"event\",\"length\":1}\n{}",
            "newline",
        ),
        (To::Envelope, &many_items, "too many"),
    ];
    for (to, body, detail) in cases {
        let (status, answer) = world.send(to, body.to_owned()).await;
        let start = &body[..body.len().min(40)];
        assert_eq!(status, 400, "{to:?} {start}: {answer}");
        let said = text(&answer["detail"]);
        assert!(said.contains(detail), "{to:?} {start}: {said}");
        world.send_neighbour().await;
    }
    world.assert_nothing_lost().await;
}

async fn who_may_not_send_is_refused_with_a_reason(engine: Engine) {
    let mut world = World::new(engine);
    let other = world.app.project("other");
    let (base, id) = (&world.app.base_url, &world.app.project_id);
    let (key, unknown) = (&world.app.key, "0".repeat(32));
    let at = |project: &str, key: &str| format!("{base}/api/{project}/envelope/?sentry_key={key}");
    let elsewhere = format!("{{\"dsn\":\"http://{key}@elsewhere/{}\"}}\n", other.id);
    let cases: [(String, &str, u16, &str); 9] = [
        (at(id, &unknown), "{}", 403, "unknown key or project"),
        (at("999", key), "{}", 403, "unknown key or project"),
        (at(id, &other.key), "{}", 403, "unknown key or project"),
        (
            at("99999999999999999999", key),
            "{}",
            403,
            "unknown key or project",
        ),
        (at("shop", key), "{}", 400, "project id"),
        (at(id, "short"), "{}", 400, "public key"),
        (
            format!("{base}/api/{id}/envelope/"),
            "{}",
            401,
            "missing authorization",
        ),
        (
            format!("{base}/api/{id}/store/"),
            "{}",
            401,
            "missing authorization",
        ),
        (at(id, key), &elsewhere, 400, "header mismatch"),
    ];
    for (url, body, expected, detail) in cases.clone() {
        let (status, answer) = world.post(&url, body.to_owned()).await;
        assert_eq!(status, expected, "{url}: {answer}");
        let said = text(&answer["detail"]);
        assert!(said.contains(detail), "{url}: {said}");
        world.send_neighbour().await;
    }
    world.assert_nothing_lost().await;
}

/// Events that strict readers choke on, each with the title that it has in the end.
fn odd_events() -> Vec<(Vec<u8>, &'static str)> {
    let nested = format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP));
    let deep = format!("{{\"message\":\"deep\",\"extra\":{{\"a\":{nested}}}}}");
    let invalid_utf8 = [&b"{\"message\":\"bytes \xff\xfe\"}"[..], b""].concat();
    vec![
        (
            b"{\"message\":\"nan\",\"extra\":{\"a\":NaN,\"b\":[Infinity,-Infinity]}}".to_vec(),
            "nan",
        ),
        (
            b"{\"message\":\"lone \\ud800 surrogate\"}".to_vec(),
            "lone \u{fffd} surrogate",
        ),
        (invalid_utf8, "bytes \u{fffd}\u{fffd}"),
        (deep.into_bytes(), "deep"),
        (b"\xef\xbb\xbf{\"message\":\"mark\"}".to_vec(), "mark"),
        (
            b"{\"message\":\"nul \\u0000 byte\"}".to_vec(),
            "nul \u{fffd} byte",
        ),
    ]
}

async fn odd_events_are_taken_by_both_endpoints_and_can_be_read_back(engine: Engine) {
    let mut world = World::new(engine);
    let mut ids = Vec::new();
    for (event, title) in odd_events() {
        let (status, answer) = world.send(To::Store, event.clone()).await;
        assert_eq!(status, 200, "{title}: {answer}");
        ids.push((text(&answer["id"]).to_owned(), title));
        let header = format!("{{}}\n{{\"type\":\"event\",\"length\":{}}}\n", event.len());
        let envelope = [header.as_bytes(), &event].concat();
        let (status, answer) = world.send(To::Envelope, envelope).await;
        assert_eq!(status, 200, "{title}: {answer}");
        ids.push((text(&answer["id"]).to_owned(), title));
        world.send_neighbour().await;
    }
    world.assert_nothing_lost().await;
    for (id, title) in ids {
        let path = format!("projects/{}/events/{id}", world.app.project_id);
        let event = world.app.get(&path).await;
        assert_eq!(event["title"], title);
        assert!(event["payload"].is_object());
    }
}

async fn a_bad_item_takes_only_itself(engine: Engine) {
    let mut world = World::new(engine);
    for event in ["{\"message\":", "[1]", &"[".repeat(DEEP)] {
        // The SDK's event id is answered all the same: the envelope is fine.
        let (status, answer) = world.send(To::Envelope, event_item(event)).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(text(&answer["id"]).len(), 32);
        world.send_neighbour().await;
    }
    let unknown = "{}\n{\"type\":\"of next year\",\"length\":3}\n\n\n\n\n{\"type\":\"event\"}\n\
                   {\"message\":\"beside\"}";
    let (status, _) = world.send(To::Envelope, unknown).await;
    assert_eq!(status, 200);
    world.assert_nothing_lost().await;
    let beside = world.app.get("issues?query=title:beside").await;
    assert_eq!(beside[0]["eventsCount"], 1);
    let invalid = "select sum(quantity) from outcomes where category = 'error' \
                   and reason in ('invalid_json', 'not_an_object')";
    assert_eq!(world.app.count(invalid), 3);
}

on_each_engine!(
    async what_cannot_be_read_is_refused_with_a_reason,
    async who_may_not_send_is_refused_with_a_reason,
    async odd_events_are_taken_by_both_endpoints_and_can_be_read_back,
    async a_bad_item_takes_only_itself,
);
