//! Opens the engine that the operator has chosen.

use std::path::Path;
use std::sync::Arc;

use copal_model::Plans;

use crate::postgres::{self, PostgresStore};
use crate::sqlite::{self, SqliteStore};
use crate::{Result, Store};

/// How much each engine may take, and organizations of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Of the machine, by SQLite.
    pub sqlite: sqlite::Options,
    /// Of the database server, by PostgreSQL.
    pub postgres: postgres::Options,
    /// What the organizations of each plan may use.
    pub plans: Plans,
}

impl Options {
    /// For a command, which does one thing after the other.
    pub fn for_command() -> Self {
        let mut options = Self::default();
        options.sqlite.read_connections = 1;
        options.postgres.connections = 2;
        options
    }
}

/// The database that an address names, in words for people: nothing secret is in them.
///
/// # Errors
/// When the address cannot be read, or names no database.
pub fn describe_database(database_url: &str) -> Result<String> {
    postgres::describe(database_url)
}

/// Opens the store: in the folder alone, or with its rows in the PostgreSQL database at an address
/// such as `postgres://user:password@host:5432/database?sslmode=verify-full`.
///
/// # Errors
/// [`NewerSchema`](crate::Error::NewerSchema) when a later program has written it,
/// [`Unavailable`](crate::Error::Unavailable) when the database is away.
pub async fn open(
    folder: &Path,
    database_url: Option<&str>,
    options: Options,
) -> Result<Arc<dyn Store>> {
    match database_url {
        None => Ok(Arc::new(
            SqliteStore::open(folder, options.sqlite)?.with_plans(options.plans),
        )),
        Some(url) => Ok(Arc::new(
            PostgresStore::open(folder, url, options.postgres)
                .await?
                .with_plans(options.plans),
        )),
    }
}
