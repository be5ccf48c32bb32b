//! Measures what recording costs: events a second, CPU time, and bytes on disk per event.
//!
//! `cargo run --release -p copal-store --example record_cost -- FOLDER [EVENTS [DATABASE_URL]]`
//! records the events of the envelopes in FOLDER (`*.env`, one envelope each) again and again, with
//! ids of their own, in batches of 500 over 200 issues with 15 tags each: on SQLite, or in an empty
//! PostgreSQL database of a server on this machine.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use copal_model::{Email, Level, OrgId, Plan, Timestamp, UserId, UserIdentity, UserIdentityKind};
use copal_protocol::EventId;
use copal_store::events::EventPick;
use copal_store::issues::IssueQuery;
use copal_store::projects::NewProject;
use copal_store::record::{Batch, IssueSeed, NewEvent, NewGrouping};
use copal_store::users::NewUser;
use copal_store::{Options, OrgScope, PageRequest, ProjectScope, Store};
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
        .ok_or("usage: record_cost FOLDER [EVENTS [DATABASE_URL]]")?;
    let events: u64 = arguments.next().map_or(Ok(50_000), |text| text.parse())?;
    let database_url = arguments.next();
    let payloads = read_payloads(Path::new(&folder))?;
    let data = tempfile::tempdir()?;
    let store = copal_store::open(data.path(), database_url.as_deref(), Options::default()).await?;
    let server = match &database_url {
        Some(url) => Some(Server::find(url).await?),
        None => None,
    };
    let (org, project) = make_project(&*store).await?;
    let mut random = 0x9e37_79b9_7f4a_7c15;
    let mut recording = Duration::ZERO;
    let (mut own_cpu, server_cpu) = (Duration::ZERO, cpu_of(server.as_ref()));
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
        let (started, cpu) = (Instant::now(), cpu_seconds("self"));
        store.record(batch).await?;
        recording += started.elapsed();
        own_cpu += cpu_seconds("self").saturating_sub(cpu);
    }
    let bytes = folder_bytes(data.path())?;
    eprintln!(
        "{events} events in {recording:.2?}: {:.0} events/s, {} bytes/event on disk ({} of payload)",
        events as f64 / recording.as_secs_f64(),
        bytes / events,
        folder_bytes(&data.path().join("payload"))? / events,
    );
    let micros = |cpu: Duration| cpu.as_micros() as f64 / events as f64;
    eprintln!("CPU per event: {:.0} µs of Copal", micros(own_cpu));
    if let Some(server) = &server {
        let cpu = cpu_of(Some(server)).saturating_sub(server_cpu);
        eprintln!(
            "{:.0} µs of PostgreSQL; {}",
            micros(cpu),
            server.sizes().await?
        );
    }
    read(&*store, org, project).await?;
    drop(store);
    eprintln!(
        "{} bytes/event once closed",
        folder_bytes(data.path())? / events
    );
    Ok(())
}

/// A PostgreSQL server on this machine.
struct Server {
    client: tokio_postgres::Client,
    /// The process that all others are children of.
    postmaster: String,
}

impl Server {
    async fn find(url: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let row = client.query_one("select pg_backend_pid()", &[]).await?;
        let backend: i32 = row.get(0);
        let postmaster = stat(&backend.to_string()).nth(1).unwrap_or_default();
        Ok(Self { client, postmaster })
    }

    /// The largest tables with their indexes.
    async fn sizes(&self) -> Result<String, tokio_postgres::Error> {
        let rows = self
            .client
            .query(
                "select c.relname::text, pg_total_relation_size(c.oid)
                 from pg_class c
                 join pg_namespace n on n.oid = c.relnamespace
                 where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')
                 order by 2 desc
                 limit 6",
                &[],
            )
            .await?;
        let sizes = rows.iter().map(|row| {
            let (name, bytes): (String, i64) = (row.get(0), row.get(1));
            format!("{name} {} KiB", bytes / 1024)
        });
        Ok(sizes.collect::<Vec<_>>().join(", "))
    }
}

/// CPU time of all processes of a server, of those that have ended too.
fn cpu_of(server: Option<&Server>) -> Duration {
    let Some(Server { postmaster, .. }) = server else {
        return Duration::ZERO;
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    let children = names.filter(|name| stat(name).nth(1).as_ref() == Some(postmaster));
    let ended: u64 = stat(postmaster)
        .skip(13)
        .take(2)
        .filter_map(|text| text.parse::<u64>().ok())
        .sum();
    children.map(|name| cpu_seconds(&name)).sum::<Duration>()
        + cpu_seconds(postmaster)
        + Duration::from_millis(ended * 10)
}

/// CPU time of a process, in user and kernel.
fn cpu_seconds(process: &str) -> Duration {
    let ticks = stat(process).skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|text| text.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// What the kernel says of a process, behind its name: state, parent and so on.
fn stat(process: &str) -> impl Iterator<Item = String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let fields: Vec<String> = fields.split(' ').map(str::to_owned).collect();
    fields.into_iter()
}

async fn read(
    store: &dyn Store,
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
    store: &dyn Store,
) -> Result<(OrgScope, ProjectScope), Box<dyn std::error::Error>> {
    let now = Timestamp::from_second(1_790_000_000)?;
    let user = NewUser {
        id: UserId::new(Uuid::from_u128(2)),
        email: Email::parse("ana@example.com")?,
        name: "Ana".to_owned(),
        password_hash: String::new(),
        org_id: OrgId::new(Uuid::from_u128(3)),
        plan: Plan::Free,
        is_verified: true,
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
