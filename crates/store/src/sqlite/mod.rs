//! The engine inside the binary: SQLite in one file, payloads beside it.
//!
//! Only SQL and row mapping live here, one file per noun with the trait's functions in the trait's
//! order, so that a sibling engine differs in dialect alone. What decides anything is elsewhere.

mod access;
mod engine;
mod error;
mod migrations;
mod organizations;
mod projects;
mod row;
mod sessions;
mod tokens;
mod users;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

pub(crate) use engine::Engine;
pub use engine::Options;
pub(crate) use row::Columns;

use crate::{Error, Result};

/// The database file within the data folder.
const FILE_NAME: &str = "copal.db";

/// Everything Copal remembers, in one folder.
pub struct SqliteStore {
    engine: Engine,
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
        Ok(Self {
            engine: Engine::open(&path, options)?,
        })
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
