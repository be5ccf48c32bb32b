//! Measures what recording costs: events a second, and bytes on disk per event.
//!
//! `cargo run --release -p copal-store --example record_cost -- FOLDER [EVENTS]` records the events
//! of the envelopes in FOLDER (`*.env`, one envelope each) again and again, with ids of
//! their own, in batches of 500 over 200 issues with 15 tags each.

use std::path::{Path, PathBuf};
use std::time::Instant;

use copal_model::{Email, Level, OrgId, Plan, Timestamp, UserId, UserIdentity, UserIdentityKind};
use copal_protocol::EventId;
use copal_store::access::Access;
use copal_store::events::{EventPick, Events};
use copal_store::issues::{IssueQuery, Issues};
use copal_store::projects::{NewProject, Projects};
use copal_store::record::{Batch, IssueSeed, NewEvent, NewGrouping, Recorder};
use copal_store::sqlite::{Options, SqliteStore};
use copal_store::users::{NewUser, Users};
use copal_store::{OrgScope, PageRequest, ProjectScope};
use uuid::Uuid;

const BATCH: u64 = 500;
const ISSUES: u64 = 200;
const TAGS: u64 = 15;
const JOURNAL: Uuid = Uuid::from_u128(1);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("usage: record_cost FOLDER [EVENTS]")?;
    let events: u64 = arguments.next().map_or(Ok(50_000), |text| text.parse())?;
    let payloads = read_payloads(Path::new(&folder))?;
    let data = tempfile::tempdir()?;
    let store = SqliteStore::open(data.path(), Options::default())?;
    let (org, project) = make_project(&store).await?;
    let mut random = 0x9e37_79b9_7f4a_7c15;
    let mut recording = std::time::Duration::ZERO;
    for position in 1..=events / BATCH {
        let events = (0..BATCH)
            .map(|_| new_event(project, &payloads, &mut random))
            .collect();
        let batch = Batch {
            journal: JOURNAL,
            position,
            events,
            ..Batch::default()
        };
        let started = Instant::now();
        store.record(batch).await?;
        recording += started.elapsed();
    }
    let bytes = folder_bytes(data.path())?;
    eprintln!(
        "{events} events in {recording:.2?}: {:.0} events/s, {} bytes/event on disk ({} of payload)",
        events as f64 / recording.as_secs_f64(),
        bytes / events,
        folder_bytes(&data.path().join("payload"))? / events,
    );
    read(&store, org, project).await?;
    drop(store);
    eprintln!(
        "{} bytes/event once closed",
        folder_bytes(data.path())? / events
    );
    Ok(())
}

async fn read(
    store: &SqliteStore,
    org: OrgScope,
    project: ProjectScope,
) -> Result<(), Box<dyn std::error::Error>> {
    let query = IssueQuery::default();
    for _ in 0..2 {
        let started = Instant::now();
        let page = store
            .list_issues(&org, &query, &PageRequest::default())
            .await?;
        eprintln!(
            "list of {} issues: {:.2?}",
            page.rows.len(),
            started.elapsed()
        );
        let issue = page.rows[0].id;
        let started = Instant::now();
        store
            .list_events(&project, issue, &PageRequest::default())
            .await?;
        eprintln!("list of its events: {:.2?}", started.elapsed());
        let started = Instant::now();
        store
            .find_event_in_issue(&project, issue, EventPick::Latest)
            .await?;
        store.list_issue_tags(&project, issue, 10).await?;
        eprintln!("event and tags of an issue: {:.2?}", started.elapsed());
    }
    Ok(())
}

fn new_event(project: ProjectScope, payloads: &[String], random: &mut u64) -> NewEvent {
    let number = next(random);
    let id = Uuid::from_u64_pair(number, next(random));
    let issue = next(random) % ISSUES;
    let index = usize::try_from(issue).unwrap_or_default() % payloads.len();
    let user = next(random) % 5_000;
    let mut hash = [0; 16];
    hash[..8].copy_from_slice(&issue.to_le_bytes());
    let mut tags: Vec<(String, String)> = (0..TAGS - 1)
        .map(|key| (format!("key{key}"), format!("value{}", number % (key + 1))))
        .collect();
    tags.push(("user".to_owned(), format!("id:{user}")));
    let now = Timestamp::from_second(1_790_000_000).unwrap_or_default();
    NewEvent {
        scope: project,
        retention_days: 30,
        event_id: EventId::new(id),
        occurred_at: now,
        received_at: now,
        payload: fill(&payloads[index], id, number).into_bytes(),
        grouping: NewGrouping {
            version: "copal-1",
            hashes: vec![hash],
            explanation: br#"{"version":"copal-1","variants":[]}"#.to_vec(),
        },
        issue: IssueSeed {
            title: format!("Error: number {issue}"),
            error_type: Some("Error".to_owned()),
            culprit: "shop.pay".to_owned(),
            platform: "python".to_owned(),
            search_terms: Vec::new(),
        },
        level: Level::Error,
        user: Some(UserIdentity {
            kind: UserIdentityKind::Id,
            value: user.to_string(),
        }),
        release: Some("1.0".to_owned()),
        environment: Some("production".to_owned()),
        tags,
    }
}

/// Replaces the placeholders of a recorded event by values of the same length.
fn fill(template: &str, id: Uuid, number: u64) -> String {
    let id = id.simple().to_string();
    let trace: String = id.chars().rev().collect();
    template
        .replace(&"E".repeat(32), &id)
        .replace(&"T".repeat(32), &trace)
        .replace(
            &"@".repeat(27),
            &format!(
                "2026-11-24T08:{:02}:{:02}.{:06}Z",
                number % 60,
                number / 60 % 60,
                number % 1_000_000
            ),
        )
        .replace(
            &"@".repeat(24),
            &format!(
                "2026-11-24T08:{:02}:{:02}.{:03}Z",
                number % 60,
                number / 60 % 60,
                number % 1_000
            ),
        )
        .replace("UUUUUUUU", &format!("{:08}", number % 5_000))
}

/// The event item of each envelope.
fn read_payloads(folder: &Path) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "env"));
    paths.sort();
    let mut payloads = Vec::new();
    for path in paths {
        let envelope = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
        let longest = envelope.lines().max_by_key(|line| line.len());
        payloads.extend(longest.map(str::to_owned));
    }
    if payloads.is_empty() {
        return Err("the folder has no *.env".into());
    }
    Ok(payloads)
}

async fn make_project(
    store: &SqliteStore,
) -> Result<(OrgScope, ProjectScope), Box<dyn std::error::Error>> {
    let now = Timestamp::from_second(1_790_000_000)?;
    let user = NewUser {
        id: UserId::new(Uuid::from_u128(2)),
        email: Email::parse("ana@example.com")?,
        name: "Ana".to_owned(),
        password_hash: String::new(),
        org_id: OrgId::new(Uuid::from_u128(3)),
        plan: Plan::Free,
        now,
    };
    let signed_up = store.sign_up(user).await?;
    let org = copal_store::access::OrgRef::Id(signed_up.organization.id);
    let (scope, _) = store
        .open_org_as_operator(&org)
        .await?
        .ok_or("the organization is not there")?;
    let project = NewProject {
        name: "Shop".to_owned(),
        platform: None,
        key_id: copal_model::KeyId::new(Uuid::from_u128(4)),
        public_key: "0".repeat(32),
        now,
    };
    let project = store.create_project(&scope, project).await?;
    let access = store.open_recording(project.id).await?;
    Ok((scope, access.ok_or("the project is not there")?.scope))
}

fn folder_bytes(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            folder_bytes(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(bytes)
}

/// xorshift64*: random enough for ids that scatter.
fn next(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_f491_4f6c_dd1d)
}
