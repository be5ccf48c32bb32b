//! The engine for many processes: PostgreSQL, payloads in files of this process beside it.
//!
//! Only SQL and row mapping live here, one file per noun with the trait's functions in the trait's
//! order, so that a sibling engine differs in dialect alone. What decides anything is elsewhere.
//!
//! No method may assume that its process is the only writer: `engine` says what holds instead.

mod access;
mod activity;
mod address;
mod append;
mod audit;
mod compaction;
mod engine;
mod error;
mod event_rows;
mod events;
mod fsck;
mod guarantees;
mod inbound;
mod invitations;
mod issue_list;
mod issues;
mod keys;
mod lifecycle;
mod mails;
mod members;
mod migrations;
mod org_tokens;
mod organizations;
mod partitions;
mod project_life;
mod projects;
mod record;
mod row;
#[cfg(test)]
#[path = "../../tests/conformance/schema.rs"]
mod schema;
mod second_factors;
mod sessions;
mod slugs;
mod statements;
mod telemetry;
#[cfg(test)]
mod tests;
mod tokens;
mod training;
mod triage;
mod upkeep;
mod usage;
mod users;

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use engine::Options;
pub(crate) use engine::{Engine, Tx, more_time};
pub(crate) use row::Columns;
pub(crate) use statements::{count, execute, find, list, together};

use address::Address;
use copal_model::Plans;
use tokio::sync::Mutex;

use crate::payload::{Codec, Segments, Sharing, Tails};
use crate::{Error, Result};

/// The folder of payload segments within the data folder.
const PAYLOAD_FOLDER: &str = "payload";

/// Everything Copal remembers: rows in a database that processes share, payloads in a folder.
pub struct PostgresStore {
    engine: Arc<Engine>,
    codec: Arc<Codec>,
    segments: Segments,
    /// Whoever appends to segments has them until the bytes are on disk.
    tails: Arc<Mutex<Tails>>,
    /// One batch is recorded after the other: segments are open to one until it is committed.
    recording: Mutex<()>,
    /// One drop or compaction goes on at a time.
    upkeep: Mutex<()>,
    /// Events stored so far, roughly: tells when to train a dictionary.
    stored_events: Arc<AtomicU64>,
    /// What the organizations of each plan may use.
    plans: Plans,
}

/// The database that an address names, in words for people.
pub(crate) fn describe(url: &str) -> Result<String> {
    Ok(Address::parse(url)?.to_string())
}

impl PostgresStore {
    /// Opens the store whose rows are in the database at `url` and whose payloads are in `folder`,
    /// made private where it does not exist, and migrates it.
    ///
    /// # Errors
    /// [`NewerSchema`](Error::NewerSchema) when a later program has written it.
    pub async fn open(folder: &Path, url: &str, options: Options) -> Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(Error::Disk)?;
        let engine = Engine::open(url, options).await?;
        let codec = Arc::new(Codec::default());
        let loading = Arc::clone(&codec);
        let (database, stored_events) = engine
            .read(move |tx| {
                let codec = Arc::clone(&loading);
                Box::pin(async move { Ok((name(tx).await?, training::load(tx, &codec).await?)) })
            })
            .await?;
        let payload = folder.join(PAYLOAD_FOLDER).join(database);
        let segments = Segments::new(payload, Sharing::WithOthers);
        segments.create().map_err(Error::Disk)?;
        Ok(Self {
            engine: Arc::new(engine),
            codec,
            segments,
            tails: Arc::default(),
            recording: Mutex::default(),
            upkeep: Mutex::default(),
            stored_events: Arc::new(AtomicU64::new(stored_events)),
            plans: Plans::default(),
        })
    }

    /// The same store with other limits of plans.
    #[must_use]
    pub fn with_plans(self, plans: Plans) -> Self {
        Self { plans, ..self }
    }
}

/// What the database is called in data folders.
async fn name(tx: &Tx<'_>) -> Result<String> {
    let row = find(tx, "select value from meta where key = 'database'", &[]).await?;
    let row = row.ok_or_else(|| Error::Broken("the database has no name".into()))?;
    Columns::new("meta", &row).get("value")
}
