//! The engine inside the binary: SQLite in one file, payloads beside it.
//!
//! Only SQL and row mapping live here, one file per noun with the trait's functions in the trait's
//! order, so that a sibling engine differs in dialect alone. What decides anything is elsewhere.

mod access;
mod activity;
mod append;
mod audit;
mod compaction;
mod engine;
mod error;
mod event_rows;
mod events;
mod fsck;
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
mod second_factors;
mod sessions;
mod slugs;
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
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use copal_model::Plans;
pub(crate) use engine::Engine;
pub use engine::Options;
pub(crate) use row::Columns;

use crate::payload::{Codec, Segments, Sharing, Tails};
use crate::{Error, Result};

/// The database file within the data folder.
pub const FILE_NAME: &str = "copal.db";
/// The folder of payload segments within the data folder.
const PAYLOAD_FOLDER: &str = "payload";

/// Everything Copal remembers, in one folder.
pub struct SqliteStore {
    engine: Arc<Engine>,
    codec: Arc<Codec>,
    segments: Segments,
    tails: Arc<Mutex<Tails>>,
    /// Events stored so far, roughly: tells when to train a dictionary.
    stored_events: Arc<AtomicU64>,
    /// What the organizations of each plan may use.
    plans: Plans,
}

impl SqliteStore {
    /// Opens the store in `folder`, made private where it does not exist, and migrates it.
    /// Several processes may have it open; only one may record from a given journal.
    ///
    /// # Errors
    /// [`NewerSchema`](Error::NewerSchema) when a later program has written it.
    pub fn open(folder: &Path, options: Options) -> Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(Error::Disk)?;
        let path = folder.join(FILE_NAME);
        create_private_file(&path)?;
        let engine = Engine::open(&path, options)?;
        let codec = Codec::default();
        let stored_events = training::load(&path, &codec)?;
        Ok(Self {
            engine: Arc::new(engine),
            codec: Arc::new(codec),
            segments: Segments::new(folder.join(PAYLOAD_FOLDER), Sharing::Alone),
            tails: Arc::default(),
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

/// SQLite gives the files beside it the mode of the main one, so that one is made first.
fn create_private_file(path: &Path) -> Result<()> {
    // Only when it is not there: closing a descriptor of an open database would drop the locks
    // that SQLite holds in this process (POSIX).
    let created = fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path);
    match created {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(Error::Disk(error)),
        _ => Ok(()),
    }
}
