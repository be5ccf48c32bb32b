//! The engine for many processes: PostgreSQL, payloads in files of this process beside it.
//!
//! Only SQL and row mapping live here, one file per noun with the trait's functions in the trait's
//! order, so that a sibling engine differs in dialect alone. What decides anything is elsewhere.
//!
//! No method may assume that its process is the only writer: [`engine`] says what holds instead.

mod access;
mod activity;
mod address;
mod append;
mod engine;
mod error;
mod event_rows;
mod events;
mod issue_list;
mod issues;
mod migrations;
mod organizations;
mod partitions;
mod projects;
mod record;
mod row;
#[cfg(test)]
#[path = "../../tests/conformance/schema.rs"]
mod schema;
mod sessions;
mod statements;
mod telemetry;
#[cfg(test)]
mod tests;
mod tokens;
mod training;
mod triage;
mod users;

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

pub use engine::Options;
pub(crate) use engine::{Engine, Tx, more_time};
pub(crate) use row::Columns;
pub(crate) use statements::{count, execute, find, list, together};

use address::Address;
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
        Ok(Self {
            engine: Arc::new(engine),
            codec: Arc::default(),
            segments: Segments::new(folder.join(PAYLOAD_FOLDER), Sharing::WithOthers),
            tails: Arc::default(),
            recording: Mutex::default(),
        })
    }
}
