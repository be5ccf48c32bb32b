//! Recording, reading back, retention and invariants, through the traits.

use std::path::Path;

use copal_model::search::parse;
use copal_model::{
    IssueId, IssueStatus, Level, OrgId, ProjectId, Timestamp, UserIdentity, UserIdentityKind,
};
use copal_protocol::EventId;
use uuid::Uuid;

use super::{Options, SqliteStore, telemetry};
use crate::access::IssueRef;
use crate::events::{EventPick, Events};
use crate::issues::{IssueQuery, Issues};
use crate::projects::Projects;
use crate::record::{Batch, Disposition, IssueSeed, NewEvent, NewGrouping, Recorder};
use crate::upkeep::Upkeep;
use crate::{OrgScope, PageRequest, ProjectScope};

const JOURNAL: Uuid = Uuid::from_u128(1);
const ORG: OrgId = OrgId::new(Uuid::from_u128(7));
const DAY_MICROS: i64 = 86_400_000_000;

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
    let batch = Batch {
        journal: JOURNAL,
        position,
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

async fn list(store: &SqliteStore, search: &str) -> Vec<String> {
    let query = IssueQuery {
        query: parse(search, noon()).unwrap(),
        ..IssueQuery::default()
    };
    let page = store
        .list_issues(&org(), &query, &PageRequest::default())
        .await
        .unwrap();
    page.rows
        .iter()
        .map(|issue| issue.short_id.to_string())
        .collect()
}

async fn only_issue(store: &SqliteStore) -> copal_model::Issue {
    let issue = IssueRef::Id(issue_id(1));
    store.find_issue(&org(), &issue).await.unwrap().unwrap().1
}

fn issue_id(number: u32) -> IssueId {
    IssueId::new(ProjectId::new(1).unwrap(), number)
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
async fn the_first_event_makes_an_issue_and_the_next_joins_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let dispositions = record(&store, 1, vec![event(1, 1), event(2, 1)]).await;
    assert_eq!(dispositions, [Disposition::New, Disposition::Joined]);
    assert_eq!(
        record(&store, 2, vec![event(3, 1)]).await,
        [Disposition::Joined]
    );
    let issue = only_issue(&store).await;
    assert_eq!(issue.short_id.to_string(), "SHOP-1");
    assert_eq!((issue.events_count, issue.users_affected), (3, 3));
    assert_eq!(issue.fingerprint, "01".repeat(16));
    assert_sound(&store).await;
}

#[tokio::test]
async fn duplicates_count_once_in_a_batch_and_across_days_and_classes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let dispositions = record(&store, 1, vec![event(1, 1), event(1, 1)]).await;
    assert_eq!(dispositions, [Disposition::New, Disposition::Duplicate]);
    let mut tomorrow = event(1, 2);
    tomorrow.received_at = at("2026-11-21T23:59:59Z");
    tomorrow.retention_days = 90;
    let mut elsewhere = event(1, 1);
    elsewhere.scope = org().project(ProjectId::new(2).unwrap());
    let mut too_late = event(1, 1);
    too_late.received_at = at("2026-11-22T00:00:00Z");
    let dispositions = record(&store, 2, vec![tomorrow]).await;
    assert_eq!(dispositions, [Disposition::Duplicate]);
    let dispositions = record(&store, 3, vec![elsewhere, too_late]).await;
    // Two days on is beyond the window, and documented so.
    assert_eq!(dispositions, [Disposition::New, Disposition::Joined]);
    assert_sound(&store).await;
}

#[tokio::test]
async fn a_batch_recorded_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    record(&store, 5, vec![event(1, 1)]).await;
    assert_eq!(
        record(&store, 5, vec![event(2, 1)]).await,
        [Disposition::Duplicate]
    );
    assert_eq!(
        record(&store, 4, vec![event(3, 1)]).await,
        [Disposition::Duplicate]
    );
    assert_eq!(only_issue(&store).await.events_count, 1);
    assert_eq!(store.journal_position(JOURNAL).await.unwrap(), Some(5));
    assert_eq!(
        store.journal_position(Uuid::from_u128(2)).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn the_first_known_hash_decides_and_new_hashes_are_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let mut both = event(2, 9);
    both.grouping.hashes.push([1; 16]);
    record(&store, 1, vec![event(1, 1), both, event(3, 9)]).await;
    assert_eq!(only_issue(&store).await.events_count, 3);
    assert_sound(&store).await;
}

#[tokio::test]
async fn a_resolved_issue_regresses_once_and_an_ignored_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    record(&store, 1, vec![event(1, 1), event(2, 2)]).await;
    for (number, status) in [(1, IssueStatus::Resolved), (2, IssueStatus::Ignored)] {
        store
            .set_issue_status(&shop(), issue_id(number), status, noon())
            .await
            .unwrap();
    }
    let dispositions = record(&store, 2, vec![event(3, 1), event(4, 1), event(5, 2)]).await;
    assert_eq!(
        dispositions,
        [
            Disposition::Regressed,
            Disposition::Joined,
            Disposition::Joined
        ]
    );
    let issue = only_issue(&store).await;
    assert!(issue.is_regressed && issue.status == IssueStatus::Open);
    assert_eq!(list(&store, "is:ignored").await, ["SHOP-2"]);
}

#[tokio::test]
async fn an_event_is_found_in_its_issue_with_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    for number in 1..=5_i64 {
        let mut event = event(number.unsigned_abs().into(), 1);
        let micros = noon().as_microsecond() + number / 2 * DAY_MICROS;
        event.received_at = Timestamp::from_microsecond(micros).unwrap();
        event.retention_days = if number % 2 == 0 { 30 } else { 90 };
        record(&store, number.unsigned_abs(), vec![event]).await;
    }
    let id = |number| EventId::new(Uuid::from_u128(number));
    for (pick, number) in [(EventPick::Oldest, 1), (EventPick::Latest, 5)] {
        let found = store
            .find_event_in_issue(&shop(), issue_id(1), pick)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((found.number, found.stored), (number, 5));
        assert_eq!(found.event.summary.event_id, id(number.into()));
    }
    let pick = EventPick::Id(id(3));
    let found = store
        .find_event_in_issue(&shop(), issue_id(1), pick)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.event.payload, br#"{"n":3}"#);
    assert_eq!((found.previous, found.next), (Some(id(2)), Some(id(4))));
    assert_eq!((found.number, found.stored), (3, 5));
    assert_eq!(found.event.summary.title, "Timeout: call 1");
    let mut seen = Vec::new();
    let mut page = PageRequest::first(2);
    loop {
        let rows = store
            .list_events(&shop(), issue_id(1), &page)
            .await
            .unwrap();
        seen.extend(rows.rows.iter().map(|row| row.event_id));
        page.cursor = rows.next;
        if page.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1].map(id));
}

#[tokio::test]
async fn another_project_finds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    record(&store, 1, vec![event(1, 1)]).await;
    let blog = org().project(ProjectId::new(2).unwrap());
    let id = EventId::new(Uuid::from_u128(1));
    assert_eq!(store.find_event(&blog, id).await.unwrap(), None);
    let pick = EventPick::Latest;
    let found = store
        .find_event_in_issue(&blog, issue_id(1), pick)
        .await
        .unwrap();
    assert_eq!(found, None);
    let foreign = OrgScope::granted(OrgId::new(Uuid::from_u128(8)));
    let issue = IssueRef::Id(issue_id(1));
    assert_eq!(store.find_issue(&foreign, &issue).await.unwrap(), None);
    assert!(store.delete_issue(&blog, issue_id(1)).await.is_err());
    assert!(
        store
            .set_issue_status(&blog, issue_id(1), IssueStatus::Resolved, noon())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn searches_find_what_they_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let mut untyped = event(2, 2);
    untyped.issue.error_type = None;
    untyped.issue.title = "100% of disk".to_owned();
    untyped.issue.search_terms = vec![("message", "100% of disk\nare full".to_owned())];
    untyped.occurred_at = at("2026-11-19T00:00:00Z");
    record(&store, 1, vec![event(1, 1), untyped, event(3, 1)]).await;
    for (search, found) in [
        ("", vec!["SHOP-1", "SHOP-2"]),
        ("node:2", vec!["SHOP-2"]),
        ("stack.function:PA*", vec!["SHOP-1"]),
        ("timeout", vec!["SHOP-1"]),
        ("full", vec!["SHOP-2"]),
        ("!full", vec!["SHOP-1"]),
        ("message:\"call 1\"", vec!["SHOP-1"]),
        ("100%", vec!["SHOP-2"]),
        ("1_0", vec![]),
        ("!error.type:Timeout", vec!["SHOP-2"]),
        ("events:>1", vec!["SHOP-1"]),
        ("firstSeen:<2026-11-20", vec!["SHOP-2"]),
        ("project:shop level:error is:open", vec!["SHOP-1", "SHOP-2"]),
        ("is:assigned", vec![]),
        ("title:\"x' or 1=1 --\"", vec![]),
    ] {
        assert_eq!(list(&store, search).await, found, "{search}");
    }
}

#[tokio::test]
async fn issues_page_in_order_without_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    record(&store, 1, (1..=7).map(|n| event(n.into(), n)).collect()).await;
    let mut numbers = Vec::new();
    let mut page = PageRequest::first(3);
    loop {
        let rows = store
            .list_issues(&org(), &IssueQuery::default(), &page)
            .await
            .unwrap();
        numbers.extend(rows.rows.iter().map(|issue| issue.id.number()));
        page.cursor = rows.next;
        if page.cursor.is_none() {
            break;
        }
    }
    assert_eq!(numbers, [7, 6, 5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn tag_values_beyond_the_limit_are_counted_as_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    record(&store, 1, (1..=1_002).map(|n| event(n, 1)).collect()).await;
    record(
        &store,
        2,
        vec![{
            let mut again = event(2_000, 1);
            again.tags = vec![("node".to_owned(), "1".to_owned())];
            again
        }],
    )
    .await;
    let tags = store
        .list_issue_tags(&shop(), issue_id(1), 2)
        .await
        .unwrap();
    let node = tags.iter().find(|tag| tag.key == "node").unwrap();
    assert_eq!(node.total, 1_003);
    assert_eq!(node.values[0], ("1".to_owned(), 2));
    assert_eq!(node.values[2], ("(other)".to_owned(), 2));
    assert_sound(&store).await;
}

#[tokio::test]
async fn retention_drops_whole_days_and_keeps_the_counts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let mut kept = event(2, 1);
    kept.retention_days = 90;
    record(&store, 1, vec![event(1, 1), kept]).await;
    assert_eq!(
        store
            .drop_expired(at("2026-12-20T23:59:59Z"))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store
            .drop_expired(at("2026-12-21T00:00:00Z"))
            .await
            .unwrap(),
        1
    );
    assert_eq!(only_issue(&store).await.events_count, 2);
    let page = PageRequest::default();
    let events = store
        .list_events(&shop(), issue_id(1), &page)
        .await
        .unwrap();
    assert_eq!(events.rows.len(), 1);
    let folders = std::fs::read_dir(folder.path().join("payload"))
        .unwrap()
        .count();
    assert_eq!(folders, 1);
    assert_sound(&store).await;
    record(&store, 2, vec![event(3, 1)]).await;
    assert_sound(&store).await;
}

#[tokio::test]
async fn a_deleted_issue_is_gone_and_its_like_makes_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    record(&store, 1, vec![event(1, 1)]).await;
    store.delete_issue(&shop(), issue_id(1)).await.unwrap();
    let id = EventId::new(Uuid::from_u128(1));
    assert_eq!(store.find_event(&shop(), id).await.unwrap(), None);
    assert_sound(&store).await;
    assert_eq!(
        record(&store, 2, vec![event(2, 1)]).await,
        [Disposition::New]
    );
    assert_eq!(list(&store, "").await, ["SHOP-2"]);
    let project = ProjectId::new(1).unwrap();
    store
        .engine
        .write(move |tx| {
            telemetry::delete_project(tx, project)?;
            tx.execute("delete from projects where id = 1", ())?;
            Ok(())
        })
        .await
        .unwrap();
    assert_sound(&store).await;
    assert_eq!(
        record(&store, 3, vec![event(3, 1)]).await,
        [Disposition::ProjectGone]
    );
    let outcomes = store.engine.read(|db| {
        Ok(db.query_one("select count(*) from outcomes", (), |row| {
            row.get::<_, i64>(0)
        })?)
    });
    assert_eq!(outcomes.await.unwrap(), 0);
}

#[tokio::test]
async fn projects_show_what_goes_on_by_when_it_happened() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let mut offline = event(1, 1);
    offline.occurred_at = at("2026-11-18T23:10:00Z");
    offline.environment = Some("staging".to_owned());
    let mut nowhere = event(4, 1);
    nowhere.environment = None;
    record(&store, 1, vec![offline, event(2, 2), event(3, 2), nowhere]).await;
    store
        .set_issue_status(&shop(), issue_id(2), IssueStatus::Resolved, noon())
        .await
        .unwrap();
    let seen = |since: &'static str| {
        let store = &store;
        async move {
            let activity = store.list_project_activity(&org(), at(since)).await;
            let activity = activity.unwrap();
            assert_eq!(
                activity
                    .iter()
                    .map(|one| (one.project.get(), one.open_issues))
                    .collect::<Vec<_>>(),
                [(1, 1), (2, 0)]
            );
            activity[0]
                .hours
                .iter()
                .map(|hour| (hour.hour, hour.events))
                .collect::<Vec<_>>()
        }
    };
    let offline = (at("2026-11-18T23:00:00Z"), 1);
    // The hour of `since` is there as a whole.
    assert_eq!(seen("2026-11-18T23:59:59Z").await, [offline, (noon(), 3)]);
    assert_eq!(seen("2026-11-19T00:00:00Z").await, [(noon(), 3)]);
    let environments = store.list_environments(&org()).await.unwrap();
    assert_eq!(environments, ["production", "staging"]);
    let other = OrgScope::granted(OrgId::new(Uuid::from_u128(8)));
    assert_eq!(store.list_environments(&other).await.unwrap(), [""; 0]);
    assert_sound(&store).await;
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
async fn a_dictionary_is_trained_and_old_frames_stay_readable() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let full = |number: u128| {
        let mut event = event(number, u8::try_from(number % 100).unwrap());
        let frames = vec![format!("frame of {}", number % 7); 40].join(",");
        event.payload = format!(r#"{{"id":{number},"frames":"{frames}"}}"#).into_bytes();
        event
    };
    record(&store, 1, (1..=199).map(full).collect()).await;
    record(&store, 2, vec![full(200)]).await;
    let count = || {
        store.engine.read(|c| {
            Ok(c.query_one("select count(*) from dictionaries", (), |row| {
                row.get::<_, i64>(0)
            })?)
        })
    };
    for _ in 0..500 {
        if count().await.unwrap() == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(count().await.unwrap(), 1);
    record(&store, 3, vec![full(201)]).await;
    drop(store);
    assert_sound(&open(folder.path()).await).await;
}

#[tokio::test]
async fn fsck_catches_each_corruption() {
    for (invariant, corruption) in [
        ("I-01", "update issues set evicted_count = 1"),
        ("I-01", "delete from events_p1 where rowid_is_first"),
        ("I-02", "update outcomes set quantity = quantity + 1"),
        ("I-03", "update issue_hours set events = events + 1"),
        ("I-03", "update project_hours set events = events - 1"),
        ("I-05", "update issue_users set issue_id = 5"),
        (
            "I-05",
            "update events_p1 set start = start + 1, length = length - 1",
        ),
        ("I-06", "update issues set first_seen = last_seen + 1"),
        ("I-07", "update issue_tags set events = events + 1"),
        ("I-08", "update segments set length = length - 1"),
        ("I-12", "update members set role = 'ADMIN'"),
        ("I-13", "create index surplus on issues (title)"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        record(&store, 1, vec![event(1, 1), event(2, 1)]).await;
        assert_sound(&store).await;
        let sql = corruption.replace(
            "rowid_is_first",
            "event_id = (select min(event_id) from events_p1)",
        );
        store
            .engine
            .write(move |tx| Ok(tx.execute_batch(&sql)?))
            .await
            .unwrap();
        let report = store.fsck().await.unwrap();
        assert!(
            report
                .violations
                .iter()
                .any(|found| found.invariant == invariant),
            "{corruption} is not caught as {invariant}: {:?}",
            report.violations
        );
    }
}

#[tokio::test]
async fn fsck_catches_a_damaged_payload() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    record(&store, 1, vec![event(1, 1)]).await;
    let partition = folder.path().join("payload/1");
    let segment = std::fs::read_dir(partition)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = std::fs::read(&segment).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let report = store.fsck().await.unwrap();
    assert_eq!(report.violations[0].invariant, "I-05");
}

#[tokio::test]
async fn the_store_is_private_and_promises_durability() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = open(&data).await;
    let guarantees = store.guarantees().await.unwrap();
    assert!(
        guarantees
            .iter()
            .all(|guarantee| guarantee.broken.is_none()),
        "{guarantees:?}"
    );
    for entry in std::fs::read_dir(&data).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
    }
    store
        .set_server_address(Some("http://localhost:8000"))
        .await
        .unwrap();
    let address = store.server_address().await.unwrap();
    assert_eq!(address.as_deref(), Some("http://localhost:8000"));
    store.set_server_address(None).await.unwrap();
    assert_eq!(store.server_address().await.unwrap(), None);
}
