//! Backups as `docs/operating.md` tells to take them: while events come in, and restored elsewhere.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Client;
use serde_json::Value;

use crate::support::{Cluster, Database, Engine, Server, TestApp, command, settle, text};

const NO_PROGRESS: Option<fn(rusqlite::backup::Progress)> = None;
/// All events that issues count.
const EVENTS: &str = "select sum(events_count) from issues";

/// Copies a folder and what is in it.
fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Sends events until `work` is done, which begins once some are recorded.
async fn while_events_come_in<T>(app: &TestApp, work: impl FnOnce() -> T) -> T {
    let url = format!("{}?sentry_key={}", app.store_url(), app.key);
    let stop = Arc::new(AtomicBool::new(false));
    let sending = tokio::spawn({
        let stop = Arc::clone(&stop);
        async move {
            let client = Client::new();
            while !stop.load(Ordering::Relaxed) {
                let event = "{\"message\":\"hello\"}";
                let answer = client.post(&url).body(event).send().await.unwrap();
                assert_eq!(answer.status(), 200);
            }
        }
    });
    while app.count(EVENTS) < 100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let done = tokio::task::block_in_place(work);
    stop.store(true, Ordering::Relaxed);
    sending.await.unwrap();
    done
}

/// What the API of a server answers to Ana.
async fn get(app: &TestApp, base_url: &str, path: &str) -> Value {
    let url = format!("{base_url}/api/v1/organizations/{}/{path}", app.org);
    let answer = Client::new().get(url).bearer_auth(&app.token).send().await;
    answer.unwrap().json().await.unwrap()
}

/// Asserts that a server on the backup knows what the backup has, contents and all, and goes on.
async fn assert_serves(app: &TestApp, data: &Path, database: &Database) {
    let known = database.count(EVENTS);
    assert!(known >= 100, "{known}");
    let program = || {
        let mut program = command(data);
        database.name_to(&mut program);
        program
    };
    let mut server = Server::launch(program(), "127.0.0.1:0");
    let base_url = server.wait_until_it_listens();
    let listed = get(app, &base_url, "issues/SHOP-1/events").await;
    let id = text(&listed[0]["eventId"]);
    let event = get(app, &base_url, &format!("projects/shop/events/{id}")).await;
    assert_eq!(event["payload"]["event_id"], id, "{event}");

    let event = "{\"message\":\"after the restore\"}";
    let (project, key) = (&app.project_id, &app.key);
    let url = format!("{base_url}/api/{project}/store/?sentry_key={key}");
    let client = Client::new();
    let answer = client.post(url).body(event).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    settle(&client, &base_url).await;
    assert!(server.terminate().0.success());
    assert_eq!(database.count(EVENTS), known + 1);
    let fsck = program().arg("fsck").output().unwrap();
    let said = String::from_utf8(fsck.stdout).unwrap();
    assert!(fsck.status.success(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_on_sqlite_serves_what_it_knows() {
    let app = TestApp::start(Engine::Sqlite);
    let backup = tempfile::tempdir().unwrap();
    let database = Database::new(Engine::Sqlite, backup.path());
    while_events_come_in(&app, || {
        let file = app.database.read_file();
        file.backup("main", backup.path().join("copal.db"), NO_PROGRESS)
            .unwrap();
        copy_folder(&app.data().join("payload"), &backup.path().join("payload"));
    })
    .await;
    assert_serves(&app, backup.path(), &database).await;
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_on_postgres_serves_what_it_knows() {
    let Some(cluster) = Cluster::start("packaged") else {
        return;
    };
    let app = TestApp::start_in(&cluster, "127.0.0.1:0");
    let backup = tempfile::tempdir().unwrap();
    let dump = backup.path().join("copal.dump");
    while_events_come_in(&app, || {
        let mut pg_dump = cluster.program("pg_dump");
        pg_dump.args(["--format=custom", "--file"]).arg(&dump);
        run(pg_dump.arg(app.database.url().unwrap()));
        copy_folder(&app.data().join("payload"), &backup.path().join("payload"));
    })
    .await;
    let database = Database::in_cluster(&cluster.address);
    let mut pg_restore = cluster.program("pg_restore");
    pg_restore.args(["--exit-on-error", "--dbname", &database.url().unwrap()]);
    run(pg_restore.arg(&dump));
    assert_serves(&app, backup.path(), &database).await;
}
