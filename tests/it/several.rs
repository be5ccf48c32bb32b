//! Two servers, each with a data folder of its own, on one database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::{Client, Method};
use serde_json::json;
use tokio::task::{JoinSet, block_in_place};
use uuid::Uuid;

use crate::durability::audit::{counted, stored};
use crate::support::{Cluster, SecondServer, TestApp, settle};

/// Who sends at the same time, half of them to each server.
const WRITERS: u64 = 64;
/// Events of each.
const EVENTS: u64 = 25;
/// Every so many events one is sent to both servers.
const TWICE_EVERY: u64 = 5;

/// An event of the one issue, by the writer's own user.
fn event(writer: u64, number: u64) -> (Uuid, serde_json::Value) {
    let id = Uuid::from_u64_pair(writer + 1, number + 1);
    let event = json!({
        "event_id": id.simple(),
        "exception": {"values": [{"type": "Timeout", "value": "no answer"}]},
        "user": {"id": format!("user-{writer}")},
        "tags": {"writer": writer.to_string()},
        "release": format!("shop@{}", number % 3),
    });
    (id, event)
}

/// Sends everything that a writer has to say, some of it to both servers.
async fn write(urls: Arc<[String; 2]>, writer: u64) {
    let client = Client::builder().no_proxy().build().unwrap();
    for number in 0..EVENTS {
        let (id, event) = event(writer, number);
        let to = usize::try_from(writer % 2).unwrap();
        let both = if number % TWICE_EVERY == 0 { 2 } else { 1 };
        for url in urls.iter().cycle().skip(to).take(both) {
            let answer = client.post(url).json(&event).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            let expected = format!("{{\"id\":\"{}\"}}", id.simple());
            assert_eq!(answer.text().await.unwrap(), expected);
        }
    }
}

/// Resolves and reopens the issue again and again until told to stop; how often that worked.
async fn triage(app: &TestApp, second: &SecondServer, stop: &AtomicBool) -> u64 {
    let client = Client::builder().no_proxy().build().unwrap();
    let mut changed = 0;
    while !stop.load(Ordering::Relaxed) {
        let base = if changed % 2 == 0 {
            &app.base_url
        } else {
            &second.base_url
        };
        let status = if changed % 4 < 2 { "RESOLVED" } else { "OPEN" };
        let url = format!("{base}/api/v1/organizations/{}/issues/SHOP-1", app.org);
        let request = client.request(Method::PATCH, url).bearer_auth(&app.token);
        let answer = request
            .json(&json!({"status": status}))
            .send()
            .await
            .unwrap();
        assert!(
            [200, 404].contains(&answer.status().as_u16()),
            "{}",
            answer.status()
        );
        changed += u64::from(answer.status() == 200);
    }
    changed
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_on_one_issue_by_two_servers_are_counted_exactly_and_without_deadlock() {
    let Some(cluster) = Cluster::start("packaged") else {
        return;
    };
    let mut app = TestApp::start_in(&cluster, "127.0.0.1:0");
    let second = app.second_server();
    let path = format!("/api/{}/store/?sentry_key={}", app.project_id, app.key);
    let urls = Arc::new([&app.base_url, &second.base_url].map(|base| format!("{base}{path}")));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(Arc::clone(&urls), writer));
    }
    let stop = AtomicBool::new(false);
    let all_written = async {
        while let Some(ended) = writers.join_next().await {
            ended.unwrap();
        }
        app.settle().await;
        settle(&Client::new(), &second.base_url).await;
        stop.store(true, Ordering::Relaxed);
    };
    let ((), changed) = tokio::join!(all_written, triage(&app, &second, &stop));

    let issues = app.issues_of(WRITERS * EVENTS).await;
    assert_eq!(issues.len(), 1, "{issues:#?}");
    assert_eq!(issues[0]["usersAffected"], WRITERS);
    for base in [&second.base_url, &app.base_url] {
        let url = format!("{base}/api/v1/organizations/{}/issues/SHOP-1", app.org);
        let request = Client::new().patch(url).bearer_auth(&app.token);
        let answer = request
            .json(&json!({"status": "IGNORED"}))
            .send()
            .await
            .unwrap();
        let issue: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(issue["eventsCount"], WRITERS * EVENTS);
    }
    let SecondServer { server, folder, .. } = second;
    assert!(block_in_place(|| server.terminate()).0.success());
    assert!(block_in_place(|| app.take_server().terminate()).0.success());
    let stored = stored(&app, &app.project_id);
    assert_eq!(stored.len() as u64, WRITERS * EVENTS);
    assert!(stored.values().all(|times| *times == 1));
    assert_eq!(counted(&app, &app.project_id), WRITERS * EVENTS);
    assert!(changed > 0, "nobody resolved anything meanwhile");
    for data in [app.data(), folder.path()] {
        let mut fsck = crate::support::command(data);
        app.database.name_to(&mut fsck);
        let fsck = fsck.arg("fsck").output().unwrap();
        let said = String::from_utf8(fsck.stdout).unwrap();
        assert!(said.ends_with(" invariants, 0 violations\n"), "{said}");
    }
    let log = cluster.log();
    assert!(!log.contains("deadlock detected"), "{log}");
    assert!(log.contains("database system is ready"), "{log}");
}
