//! What only this engine has: its files, and what SQL can break in them. What every engine does is
//! in the conformance suite.

use std::path::Path;

use copal_model::{Category, Level, OrgId, ProjectId, Timestamp, UserIdentity, UserIdentityKind};
use copal_protocol::EventId;
use uuid::Uuid;

use super::{Options, SqliteStore};
use crate::events::Events;
use crate::issues::Issues;
use crate::record::{
    Batch, Disposition, IssueSeed, NewEvent, NewGrouping, ReceivedCount, Recorder,
};
use crate::upkeep::Upkeep;
use crate::{OrgScope, ProjectScope};

const JOURNAL: Uuid = Uuid::from_u128(1);
const ORG: OrgId = OrgId::new(Uuid::from_u128(7));

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn noon() -> Timestamp {
    at("2026-11-20T12:00:00Z")
}

/// A store with one organization, its owner and two projects, `shop` (1) and `blog` (2).
async fn open(folder: &Path) -> SqliteStore {
    let store = SqliteStore::open(folder, Options::default()).unwrap();
    store
        .engine
        .write(|tx| {
            tx.execute_batch(
                "insert or ignore into users (id, email, name, password_hash, default_org_id,
                     is_instance_admin, created_at)
                 values (x'00000000000000000000000000000009', 'ana@example.com', 'Ana', '',
                     x'00000000000000000000000000000007', 1, 0);
                 insert or ignore into organizations (id, name, slug, plan, created_at)
                 values (x'00000000000000000000000000000007', 'Acme', 'acme', 'FREE', 0);
                 insert or ignore into members (org_id, user_id, role, joined_at)
                 values (x'00000000000000000000000000000007',
                     x'00000000000000000000000000000009', 'OWNER', 0);
                 insert or ignore into projects (id, org_id, name, slug, created_at)
                 values (1, x'00000000000000000000000000000007', 'Shop', 'shop', 0),
                        (2, x'00000000000000000000000000000007', 'Blog', 'blog', 0);",
            )?;
            Ok(())
        })
        .await
        .unwrap();
    store
}

fn org() -> OrgScope {
    OrgScope::granted(ORG)
}

fn shop() -> ProjectScope {
    org().project(ProjectId::new(1).unwrap())
}

fn event(number: u128, hash: u8) -> NewEvent {
    NewEvent {
        scope: shop(),
        retention_days: 30,
        event_id: EventId::new(Uuid::from_u128(number)),
        occurred_at: noon(),
        received_at: noon(),
        payload: format!(r#"{{"n":{number}}}"#).into_bytes(),
        grouping: NewGrouping {
            version: "copal-1",
            hashes: vec![[hash; 16]],
            explanation: b"{}".to_vec(),
        },
        issue: IssueSeed {
            title: format!("Timeout: call {hash}"),
            error_type: Some("Timeout".to_owned()),
            culprit: "shop.pay".to_owned(),
            platform: "python".to_owned(),
            search_terms: vec![
                ("message", format!("call {hash}")),
                ("error.type", "Timeout".to_owned()),
                ("stack.function", "pay".to_owned()),
            ],
        },
        level: Level::Error,
        user: Some(UserIdentity {
            kind: UserIdentityKind::Id,
            value: (number % 3).to_string(),
        }),
        release: Some("1.0".to_owned()),
        environment: Some("production".to_owned()),
        tags: vec![
            ("environment".to_owned(), "production".to_owned()),
            ("node".to_owned(), number.to_string()),
        ],
    }
}

async fn record(store: &SqliteStore, position: u64, events: Vec<NewEvent>) -> Vec<Disposition> {
    let received = events.iter().map(|event| ReceivedCount {
        project: event.scope.project(),
        received_at: event.received_at,
        category: Category::Error,
        quantity: 1,
    });
    let batch = Batch {
        journal: JOURNAL,
        position,
        received: received.collect(),
        events,
        ..Batch::default()
    };
    let recorded = store.record(batch).await.unwrap();
    recorded
        .events
        .iter()
        .map(|event| event.disposition)
        .collect()
}

async fn assert_sound(store: &SqliteStore) {
    assert_eq!(store.fsck().await.unwrap().violations, []);
}

#[test]
fn the_engine_does_all_that_a_store_must() {
    fn is_store<T: crate::Store>() {}
    is_store::<SqliteStore>();
}

#[tokio::test]
async fn an_uncommitted_tail_is_cut_before_the_first_append() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    record(&store, 1, vec![event(1, 1)]).await;
    drop(store);
    let partition = folder.path().join("payload/1");
    let segment = std::fs::read_dir(partition)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let committed = std::fs::read(&segment).unwrap();
    let mut longer = committed.clone();
    longer.extend([0xee; 10_000]);
    std::fs::write(&segment, &longer).unwrap();
    let store = open(folder.path()).await;
    record(&store, 2, vec![]).await;
    assert_eq!(std::fs::read(&segment).unwrap(), committed);
    record(&store, 3, vec![event(2, 1)]).await;
    assert_sound(&store).await;
}

#[tokio::test]
async fn the_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let _store = open(&data).await;
    for entry in std::fs::read_dir(&data).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
    }
}

/// The names of payload files of the first partition, in order.
fn segment_files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder.join("payload/1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_compacted_file_stays_for_readers_until_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    record(&store, 1, vec![event(1, 1), event(2, 2)]).await;
    let issue = copal_model::IssueId::new(shop().project(), 1);
    store.delete_issue(&shop(), issue).await.unwrap();
    let later = at("2026-11-23T00:00:00Z");
    assert_eq!(store.compact(later).await.unwrap().segments, 1);
    let files = segment_files(folder.path());
    assert_eq!(files.len(), 2, "{files:?}");
    assert_eq!(store.compact(later).await.unwrap().segments, 0);
    assert_eq!(segment_files(folder.path()), files[1..]);
    assert_sound(&store).await;
}

#[tokio::test]
async fn a_compaction_that_a_crash_ended_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    record(&store, 1, vec![event(1, 1), event(2, 2)]).await;
    let issue = copal_model::IssueId::new(shop().project(), 1);
    store.delete_issue(&shop(), issue).await.unwrap();
    // As far as it gets before its last transaction: a row without length, and a file.
    store
        .engine
        .write(|tx| {
            Ok(tx.execute(
                "insert into segments (id, partition_id, journal, is_compacted, length)
                 values (2, 1, zeroblob(16), 1, 0)",
                (),
            )?)
        })
        .await
        .unwrap();
    drop(store);
    let name = format!("2-{}.seg", Uuid::nil().simple());
    std::fs::write(folder.path().join("payload/1").join(&name), "half").unwrap();
    let store = open(folder.path()).await;
    assert_sound(&store).await;
    let later = at("2026-11-23T00:00:00Z");
    assert_eq!(store.compact(later).await.unwrap().segments, 1);
    assert_eq!(store.compact(later).await.unwrap().segments, 0);
    let files = segment_files(folder.path());
    assert!(files.len() == 1 && files[0] != name, "{files:?}");
    assert_sound(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_read_and_recorded_while_segments_are_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(open(folder.path()).await);
    record(
        &store,
        1,
        (0..200).map(|n| event(n, 1 + (n % 50) as u8)).collect(),
    )
    .await;
    let reading = std::sync::Arc::clone(&store);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let reader = tokio::spawn(async move {
        let mut reads = 0;
        while !*stopped.borrow() {
            for number in (49..200).step_by(50) {
                let id = EventId::new(Uuid::from_u128(number));
                let found = reading.find_event(&shop(), id).await.unwrap();
                assert_eq!(
                    found.unwrap().payload,
                    format!(r#"{{"n":{number}}}"#).into_bytes()
                );
                reads += 1;
            }
        }
        reads
    });
    let later = at("2026-11-23T00:00:00Z");
    for (position, number) in (2..).zip(1..=12) {
        for issue in [number * 4 - 3, number * 4 - 2, number * 4 - 1] {
            let issue = copal_model::IssueId::new(shop().project(), issue);
            store.delete_issue(&shop(), issue).await.unwrap();
        }
        record(
            &store,
            position,
            vec![event(1_000 + u128::from(number), 50)],
        )
        .await;
        store.compact(later).await.unwrap();
    }
    stop.send(true).unwrap();
    assert!(reader.await.unwrap() > 0);
    assert_sound(&store).await;
}

/// Ten kilobytes that do not compress, the same for all events of an issue.
fn noisy_event(number: u128, hash: u8) -> NewEvent {
    let mut event = event(number, hash);
    let mut state = u64::from(hash) + 1;
    let noise = (0..1_250).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        format!("{:08x}", state >> 32)
    });
    event.payload = format!(
        r#"{{"n":{number},"noise":"{}"}}"#,
        noise.collect::<String>()
    )
    .into();
    event
}

/// Bytes of all payload segments as committed.
async fn payload_bytes(store: &SqliteStore) -> i64 {
    let bytes = store.engine.read(|connection| {
        Ok(connection.query_one("select sum(length) from segments", (), |row| row.get(0))?)
    });
    bytes.await.unwrap()
}

async fn assert_readable(store: &SqliteStore, number: u128, hash: u8) {
    let id = EventId::new(Uuid::from_u128(number));
    let found = store.find_event(&shop(), id).await.unwrap();
    let expected = noisy_event(number, hash).payload;
    assert!(found.unwrap().payload == expected, "event {number}");
}

#[tokio::test]
async fn later_events_are_compressed_against_an_earlier_one_of_their_issue() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    record(&store, 1, vec![noisy_event(1, 1), noisy_event(2, 2)]).await;
    let first = payload_bytes(&store).await;
    assert!(first > 8_000, "{first}");
    record(&store, 2, vec![noisy_event(3, 1), noisy_event(4, 2)]).await;
    let second = payload_bytes(&store).await - first;
    assert!(second < 600, "{second}");
    drop(store);
    // A new process knows no bases, and finds those that it needs to read.
    let store = open(folder.path()).await;
    assert_readable(&store, 3, 1).await;
    record(&store, 3, vec![noisy_event(5, 1)]).await;
    assert!(payload_bytes(&store).await - first - second > 4_000);
    assert_sound(&store).await;
    let issue = copal_model::IssueId::new(shop().project(), 1);
    store.delete_issue(&shop(), issue).await.unwrap();
    let later = at("2026-11-23T00:00:00Z");
    assert_eq!(store.compact(later).await.unwrap().segments, 1);
    assert_sound(&store).await;
    assert_readable(&store, 4, 2).await;
}

#[tokio::test]
async fn a_base_that_another_process_deleted_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let (server, command) = (open(folder.path()).await, open(folder.path()).await);
    record(&server, 1, vec![noisy_event(1, 1)]).await;
    let issue = copal_model::IssueId::new(shop().project(), 1);
    command.delete_issue(&shop(), issue).await.unwrap();
    let batch = || Batch {
        journal: JOURNAL,
        position: 2,
        events: vec![noisy_event(2, 1)],
        ..Batch::default()
    };
    let refused = server.record(batch()).await;
    assert!(
        matches!(refused, Err(crate::Error::Unavailable(_))),
        "{refused:?}"
    );
    let recorded = server.record(batch()).await.unwrap();
    assert_eq!(recorded.events[0].disposition, Disposition::New);
    assert_readable(&command, 2, 1).await;
}
