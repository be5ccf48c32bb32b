//! Every event of the outside corpus, sent to the real program, is taken and becomes an issue.
//! Needs the folder in `COPAL_CORPUS`; its files are never copied into the project.

use std::path::{Path, PathBuf};

use copal_protocol::{Envelope, ItemType};
use reqwest::{Client, Response};
use serde_json::Value;

use crate::support::{Engine, TestApp, on_each_engine};

/// Envelopes that were edited by hand after their lengths had been written.
const WRONG_LENGTHS: [&str; 2] = ["profile_chunk_1.txt", "profile_chunk_2.txt"];
/// What is in the corpus beside events and envelopes.
const NO_EVENTS: [&str; 5] = ["README", "KNOWN-BROKEN", "zip", "md", "cjs"];

/// The corpus; `None`, said loudly, where there is none.
fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("COPAL_CORPUS");
    if corpus.is_none() {
        eprintln!("SKIPPED: COPAL_CORPUS is not set");
    }
    corpus.map(PathBuf::from)
}

/// The files with events or envelopes below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if !NO_EVENTS.contains(&suffix(&path)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn suffix(path: &Path) -> &str {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.rsplit('.').next().unwrap()
}

/// The id that a request was answered with; none for an envelope without an event.
async fn taken(answer: Response, path: &Path) -> Option<String> {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    assert_eq!(status, 200, "{}: {text}", path.display());
    let answer: Value = serde_json::from_str(&text).unwrap();
    answer["id"].as_str().map(str::to_owned)
}

/// What an event became: its title, and the fingerprint that chose its issue.
#[derive(Debug, PartialEq)]
struct Became {
    title: String,
    fingerprint: String,
}

/// What an event became, as the API tells it.
async fn became(app: &TestApp, project: &str, id: &str) -> Became {
    let event = app.get(&format!("projects/{project}/events/{id}")).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let issue = app
        .get(&format!("issues/{}", text(&event["issueId"])))
        .await;
    assert!(!text(&issue["title"]).trim().is_empty(), "{id}: {issue}");
    Became {
        title: text(&event["title"]),
        fingerprint: text(&event["grouping"]["fingerprint"]),
    }
}

/// Nothing was damaged, panicked or got lost.
fn assert_nothing_broke(app: &TestApp) {
    assert_eq!(app.count("select count(*) from quarantine"), 0);
    let bad = "select coalesce(sum(quantity), 0) from outcomes \
               where outcome = 'internal' or (outcome = 'invalid' and reason <> 'duplicate')";
    assert_eq!(app.count(bad), 0);
}

async fn every_recorded_event_becomes_an_issue_by_both_endpoints(engine: Engine) {
    let Some(corpus) = corpus() else { return };
    let app = TestApp::start(engine);
    let second = app.project("again");
    let client = Client::new();
    let mut files = files_below(&corpus.join("event-samples"));
    files.extend(files_below(&corpus.join("relay/server-payloads")));
    let mut ids = Vec::new();
    for path in &files {
        let event = std::fs::read(path).unwrap();
        let store = client.post(format!("{}?sentry_key={}", app.store_url(), app.key));
        let stored = taken(store.body(event.clone()).send().await.unwrap(), path).await;
        let header = format!("{{}}\n{{\"type\":\"event\",\"length\":{}}}\n", event.len());
        let envelope = client.post(format!(
            "{}/api/{}/envelope/?sentry_key={}",
            app.base_url, second.id, second.key
        ));
        let body = [header.into_bytes(), event].concat();
        let enveloped = taken(envelope.body(body).send().await.unwrap(), path).await;
        ids.push((path, stored.unwrap(), enveloped.unwrap()));
    }
    assert!(ids.len() > 120, "only {} files found", ids.len());
    app.settle().await;
    for (path, in_store, in_envelope) in ids {
        let stored = became(&app, &app.project_id, &in_store).await;
        let enveloped = became(&app, &second.id, &in_envelope).await;
        assert!(!stored.title.trim().is_empty(), "{}", path.display());
        assert_eq!(stored, enveloped, "{}", path.display());
    }
    assert_nothing_broke(&app);
}

/// The envelope addressed to the test's project; recorded envelopes name the one they were sent to.
fn readdressed(envelope: &[u8], app: &TestApp) -> Vec<u8> {
    let end = envelope.iter().position(|byte| *byte == b'\n').unwrap();
    let mut header: Value = serde_json::from_slice(&envelope[..end]).unwrap();
    if header.get("dsn").is_some() {
        let host = app.base_url.strip_prefix("http://").unwrap();
        header["dsn"] = format!("http://{}@{host}/{}", app.key, app.project_id).into();
    }
    [header.to_string().as_bytes(), &envelope[end..]].concat()
}

async fn every_recorded_envelope_is_taken_and_its_event_becomes_an_issue(engine: Engine) {
    let Some(corpus) = corpus() else { return };
    let app = TestApp::start(engine);
    let client = Client::new();
    let mut ids = Vec::new();
    for path in files_below(&corpus.join("spotlight-envelopes/packages")) {
        let envelope = std::fs::read(&path).unwrap();
        let has_event = Envelope::parse(&envelope).is_ok_and(|envelope| {
            let mut types = envelope.items.iter().map(|item| &item.header.item_type);
            types.any(|item_type| *item_type == ItemType::Event)
        });
        let url = format!("{}?sentry_key={}", app.envelope_url(), app.key);
        let body = readdressed(&envelope, &app);
        let answer = client.post(url).body(body).send().await.unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        if WRONG_LENGTHS.contains(&name) {
            assert_eq!(answer.status(), 400, "{name}");
            continue;
        }
        let id = taken(answer, &path).await;
        if has_event {
            ids.push((path, id.unwrap()));
        }
    }
    assert!(ids.len() >= 13, "only {} events found", ids.len());
    app.settle().await;
    for (path, id) in ids {
        let title = became(&app, &app.project_id, &id).await.title;
        assert!(!title.trim().is_empty(), "{}", path.display());
    }
    assert_nothing_broke(&app);
}

on_each_engine!(
    async every_recorded_event_becomes_an_issue_by_both_endpoints,
    async every_recorded_envelope_is_taken_and_its_event_becomes_an_issue,
);
