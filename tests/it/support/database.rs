//! The rows of a test's store, looked at and changed behind the server's back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio_postgres::{Client, NoTls, Row};
use uuid::Uuid;

use super::Engine;

/// How long a statement may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the rows of a store are; a database that was made for it goes with it.
#[derive(Debug)]
pub(crate) enum Database {
    /// In this file.
    Sqlite(PathBuf),
    /// In this database of the cluster at this address.
    Postgres { cluster: String, name: String },
}

/// Somebody who holds a lock that every batch needs; dropping it lets go.
pub(crate) enum Hold {
    Sqlite(#[expect(dead_code, reason = "the lock goes with it")] rusqlite::Connection),
    Postgres(Option<(mpsc::Sender<()>, JoinHandle<()>)>),
}

impl Database {
    /// A new one for the store whose data folder is `data`.
    pub(crate) fn new(engine: Engine, data: &Path) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite(data.join("copal.db")),
            Engine::Postgres(cluster) => Self::in_cluster(cluster),
        }
    }

    /// A new one in a cluster.
    pub(crate) fn in_cluster(cluster: &str) -> Self {
        let name = format!("copal_it_{}", Uuid::new_v4().simple());
        on_postgres(cluster, format!("create database {name}"));
        Self::Postgres {
            cluster: cluster.to_owned(),
            name,
        }
    }

    /// What `--database-url` is to be; `None` for SQLite.
    pub(crate) fn url(&self) -> Option<String> {
        let Self::Postgres { cluster, name } = self else {
            return None;
        };
        let (server, _) = cluster.rsplit_once('/').unwrap();
        Some(format!("{server}/{name}"))
    }

    /// Tells a command about it.
    pub(crate) fn name_to(&self, command: &mut Command) {
        if let Some(url) = self.url() {
            command.env("COPAL_DATABASE_URL", url);
        }
    }

    /// One number; zero where there is none.
    pub(crate) fn count(&self, query: &str) -> i64 {
        let query = format!("select coalesce(cast(({query}) as bigint), 0)");
        match self.url() {
            None => self.read_file().query_row(&query, (), |row| row.get(0)),
            Some(url) => Ok(on_postgres(&url, query)[0].get(0)),
        }
        .unwrap()
    }

    /// Changes rows, without a word to anybody.
    pub(crate) fn execute(&self, statement: &str) {
        match self {
            Self::Sqlite(file) => {
                let file = rusqlite::Connection::open(file).unwrap();
                file.execute(statement, ()).unwrap();
            }
            Self::Postgres { .. } => {
                on_postgres(&self.url().unwrap(), statement.to_owned());
            }
        }
    }

    /// Stored events of a project, with how often each is there.
    pub(crate) fn stored(&self, project: i64) -> BTreeMap<Uuid, u64> {
        let mut stored = BTreeMap::new();
        let ids = match self.url() {
            None => self.stored_in_file(project),
            Some(url) => {
                let query = format!("select event_id from events where project_id = {project}");
                let rows = on_postgres(&url, query);
                rows.iter().map(|row| row.get(0)).collect()
            }
        };
        for id in ids {
            *stored.entry(id).or_default() += 1;
        }
        stored
    }

    fn stored_in_file(&self, project: i64) -> Vec<Uuid> {
        let database = self.read_file();
        let mut partitions = database.prepare("select id from partitions").unwrap();
        let partitions = partitions.query_map((), |row| row.get::<_, i64>(0));
        let mut stored = Vec::new();
        for partition in partitions.unwrap() {
            let table = format!("events_p{}", partition.unwrap());
            let query = format!("select event_id from {table} where project_id = ?1");
            let mut events = database.prepare(&query).unwrap();
            let ids = events.query_map((project,), |row| row.get(0)).unwrap();
            stored.extend(ids.map(|id| Uuid::from_bytes(id.unwrap())));
        }
        stored
    }

    /// Takes a lock that every batch needs. Reading goes on, and ingest does not care.
    pub(crate) fn hold(&self) -> Hold {
        match self {
            Self::Sqlite(file) => {
                let file = rusqlite::Connection::open(file).unwrap();
                file.execute_batch("begin immediate").unwrap();
                Hold::Sqlite(file)
            }
            Self::Postgres { .. } => hold_on_postgres(self.url().unwrap()),
        }
    }

    /// The file, to look into. It must not be kept open over a kill: that would keep alive what
    /// recovery is to find.
    pub(crate) fn read_file(&self) -> rusqlite::Connection {
        let Self::Sqlite(file) = self else {
            panic!("there is no file on PostgreSQL")
        };
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        rusqlite::Connection::open_with_flags(file, flags).unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { cluster, name } = self {
            let drop = format!("drop database {name} with (force)");
            // The cluster may be gone already, or frozen by a test that has failed.
            if !std::thread::panicking() {
                let _ = try_on_postgres(cluster, drop);
            }
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Self::Postgres(held) = self
            && let Some((let_go, thread)) = held.take()
        {
            drop(let_go);
            thread.join().unwrap();
        }
    }
}

fn hold_on_postgres(url: String) -> Hold {
    let (let_go, wait) = mpsc::channel();
    let (locked, has_lock) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        in_runtime(async {
            let client = connect(&url).await.unwrap();
            let lock = "begin; lock table journals in exclusive mode";
            client.batch_execute(lock).await.unwrap();
            locked.send(()).unwrap();
            // Ends when the other side is dropped; the lock goes with the connection.
            let _ = wait.recv();
        });
    });
    has_lock.recv().unwrap();
    Hold::Postgres(Some((let_go, thread)))
}

/// Runs a statement in the database at an address, over a connection of its own.
pub(crate) fn on_postgres(url: &str, statement: String) -> Vec<Row> {
    try_on_postgres(url, statement).unwrap()
}

/// The same, where it may fail. In a thread of its own: tests may be in a runtime already.
pub(crate) fn try_on_postgres(
    url: &str,
    statement: String,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let url = url.to_owned();
    let thread = std::thread::spawn(move || {
        in_runtime(async {
            let asked = async { connect(&url).await?.query(&statement, &[]).await };
            let answer = tokio::time::timeout(PATIENCE, asked).await;
            answer.expect("the cluster does not answer")
        })
    });
    thread.join().unwrap()
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(work)
}
