//! What only this engine has: several processes on one database, and commits that nobody hears of.
//! What every engine does is in the conformance suite.

mod proxy;
mod recording;

use std::path::Path;

use copal_model::{Category, Level, OrgId, ProjectId, Timestamp, UserIdentity, UserIdentityKind};
use copal_protocol::EventId;
use tempfile::TempDir;
use uuid::Uuid;

use super::schema::{Schema, Version, connect};
use super::{Options, PostgresStore};
use crate::record::{
    Batch, Disposition, IssueSeed, NewEvent, NewGrouping, ReceivedCount, Recorder,
};
use crate::{OrgScope, ProjectScope};

const JOURNAL: Uuid = Uuid::from_u128(1);
const ORG: OrgId = OrgId::new(Uuid::from_u128(7));

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// A schema of its own, dropped with this, and the folders of nodes.
struct Database {
    url: String,
    folder: TempDir,
    _schema: Schema,
}

impl Database {
    /// Makes one with an organization, its owner and two projects, `shop` (1) and `blog` (2).
    /// `None`, said loudly, where there is no server to test on.
    async fn make() -> Option<Self> {
        let schema = Schema::create(Version::Oldest).await?;
        let database = Self {
            url: schema.url.clone(),
            folder: tempfile::tempdir().unwrap(),
            _schema: schema,
        };
        database.open("a").await;
        let (user, org) = ("00000000-0000-0000-0000-000000000009", ORG.as_uuid());
        database
            .execute(&format!(
                "begin;
                 insert into users (id, email, name, password_hash, default_org_id,
                     is_instance_admin, created_at)
                 values ('{user}', 'ana@example.com', 'Ana', '', '{org}', true, 0);
                 insert into organizations (id, name, slug, plan, created_at)
                 values ('{org}', 'Acme', 'acme', 'FREE', 0);
                 insert into members (org_id, user_id, role, joined_at)
                 values ('{org}', '{user}', 'OWNER', 0);
                 insert into projects (org_id, name, slug, created_at)
                 values ('{org}', 'Shop', 'shop', 0), ('{org}', 'Blog', 'blog', 0);
                 commit"
            ))
            .await;
        Some(database)
    }

    /// The folder of a node.
    fn folder(&self, node: &str) -> std::path::PathBuf {
        self.folder.path().join(node)
    }

    /// A process of a node.
    async fn open(&self, node: &str) -> PostgresStore {
        open(&self.folder(node), &self.url).await
    }

    /// Runs statements around the store.
    async fn execute(&self, sql: &str) {
        let client = connect(&self.url).await.unwrap();
        client.batch_execute(sql).await.unwrap();
    }

    /// The one number that a query answers with.
    async fn number(&self, sql: &str) -> i64 {
        let client = connect(&self.url).await.unwrap();
        client.query_one(sql, &[]).await.unwrap().get(0)
    }
}

async fn open(folder: &Path, url: &str) -> PostgresStore {
    PostgresStore::open(folder, url, Options::default())
        .await
        .unwrap()
}

fn shop() -> ProjectScope {
    OrgScope::granted(ORG).project(ProjectId::new(1).unwrap())
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
            search_terms: vec![("message", format!("call {hash}"))],
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

fn batch(position: u64, events: Vec<NewEvent>) -> Batch {
    let received = events.iter().map(|event| ReceivedCount {
        project: event.scope.project(),
        received_at: event.received_at,
        category: Category::Error,
        quantity: 1,
    });
    Batch {
        journal: JOURNAL,
        position,
        received: received.collect(),
        events,
        ..Batch::default()
    }
}

async fn record(store: &PostgresStore, position: u64, events: Vec<NewEvent>) -> Vec<Disposition> {
    let recorded = store.record(batch(position, events)).await.unwrap();
    recorded
        .events
        .iter()
        .map(|event| event.disposition)
        .collect()
}
