//! Where a server of the suite keeps what it has: a folder, and a database of its own where the store
//! is on PostgreSQL.

use std::path::Path;
use std::sync::Arc;

use copal_store::{Options, Store};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// What stands before the names of databases that the suite makes.
const PREFIX: &str = "copal_isolation_";

/// Which engine the store is on.
#[derive(Debug, Clone)]
pub(crate) enum Engine {
    Sqlite,
    /// A cluster, by its address.
    Postgres(String),
}

impl Engine {
    /// The newest PostgreSQL that there is for tests; said loudly where there is none.
    pub(crate) fn postgres() -> Option<Self> {
        let addresses = std::env::var("COPAL_TEST_POSTGRES").unwrap_or_default();
        let newest = addresses.split_whitespace().last();
        if newest.is_none() {
            let why = "COPAL_TEST_POSTGRES names no server";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("SKIPPED: {why}");
        }
        newest.map(|address| Self::Postgres(address.to_owned()))
    }

    /// What people call it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

/// A place for one server.
pub(crate) struct Place {
    engine: Engine,
    folder: TempDir,
    /// The name and the address of its database, where that is not a file in the folder.
    database: Option<(String, String)>,
}

impl Place {
    /// An empty place.
    pub(crate) async fn make(engine: &Engine) -> Self {
        Self::of(engine, "template0").await
    }

    /// A copy of this place, while no server is at it.
    pub(crate) async fn copy(&self) -> Self {
        let template = self.database.as_ref().map_or("", |(name, _)| name);
        let copy = Self::of(&self.engine, template).await;
        copy_into(self.folder(), copy.folder());
        copy
    }

    async fn of(engine: &Engine, template: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres(address) => {
                let name = format!("{PREFIX}{}", uuid::Uuid::new_v4().simple());
                let client = connect(address).await;
                let sql = format!("create database {name} template {template}");
                client.batch_execute(&sql).await.unwrap();
                let url = with_database(address, &name);
                Some((name, url))
            }
        };
        Self {
            engine: engine.clone(),
            folder,
            database,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of the database, where it is not a file in the folder.
    pub(crate) fn url(&self) -> Option<&str> {
        self.database.as_ref().map(|(_, url)| &**url)
    }

    /// Opens the store.
    pub(crate) async fn open_store(&self) -> Arc<dyn Store> {
        let opened = copal_store::open(self.folder(), self.url(), Options::default());
        opened.await.unwrap()
    }

    /// Ends it; nobody must be at it any more.
    pub(crate) async fn remove(self) {
        if let (Engine::Postgres(address), Some((name, _))) = (&self.engine, &self.database) {
            let sql = format!("drop database {name} with (force)");
            connect(address).await.batch_execute(&sql).await.unwrap();
        }
    }
}

/// A connection of the suite's own.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The address with another database.
fn with_database(address: &str, name: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let (server, _) = path.rsplit_once('/').unwrap();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{server}/{name}{mark}{query}")
}

fn copy_into(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy_into(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}
