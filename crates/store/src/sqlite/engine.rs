//! One writer thread and a pool of readers over one SQLite file.
//!
//! SQLite lets one connection write at a time, so all writes of this process queue for one thread:
//! no transaction of ours ever waits for another of ours. Readers see the last commit and wait for
//! nobody. Other processes may have the same file open; they queue by SQLite's own lock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use tokio::sync::{Semaphore, oneshot};

use super::migrations;
use crate::{Error, Result};

/// The oldest SQLite without the WAL-reset race, as `sqlite3_libversion_number` writes it.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// How long a statement waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages of WAL after which a commit moves them into the file: 16 MiB at 4 KiB a page. A page that
/// is written often (a counter) is moved once per checkpoint instead of once per commit.
const WAL_CHECKPOINT_PAGES: u32 = 4_096;
/// Bytes the WAL file is cut back to after a checkpoint that could reset it.
const WAL_BYTES_KEPT: u32 = 64 << 20;
/// Prepared statements kept per connection; there are fewer in the whole crate.
const STATEMENTS_KEPT: usize = 256;

/// How much of the machine the engine may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Connections that read at the same time.
    pub read_connections: usize,
    /// Page cache of the writer, in KiB.
    pub write_cache_kib: u32,
    /// Page cache of each reader, in KiB.
    pub read_cache_kib: u32,
}

impl Default for Options {
    /// Together 40 MiB at most: the whole process is to stay below 150 MiB under load.
    fn default() -> Self {
        Self {
            read_connections: 4,
            write_cache_kib: 24 << 10,
            read_cache_kib: 4 << 10,
        }
    }
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The open database file.
pub(crate) struct Engine {
    path: PathBuf,
    options: Options,
    /// `None` only while dropping.
    writer: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    idle_readers: Arc<Mutex<Vec<Connection>>>,
    read_permits: Arc<Semaphore>,
    /// Transactions of this process that changed something other than telemetry.
    own_changes: AtomicU64,
}

impl Engine {
    /// Opens or makes the file, brings its schema up to date and starts the writer.
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self> {
        if rusqlite::version_number() < SQLITE_VERSION_MIN {
            return Err(Error::Broken(
                format!(
                    "SQLite {} has a known fault: 3.51.3 or later is needed",
                    rusqlite::version()
                )
                .into(),
            ));
        }
        let mut connection = connect(path, options.write_cache_kib)?;
        switch_to_wal(&connection)?;
        migrations::apply(&mut connection)?;
        let (writer, jobs) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new()
            .name("copal-store-writer".to_owned())
            .spawn(move || run_jobs(connection, &jobs))
            .map_err(|error| Error::Unavailable(format!("no thread for the writer: {error}")))?;
        Ok(Self {
            path: path.to_owned(),
            read_permits: Arc::new(Semaphore::new(options.read_connections.max(1))),
            options,
            writer: Some(writer),
            thread: Some(thread),
            idle_readers: Arc::default(),
            own_changes: AtomicU64::new(0),
        })
    }

    /// Reads in one snapshot: all statements of `work` see the same commit.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let permit = Arc::clone(&self.read_permits)
            .acquire_owned()
            .await
            .map_err(|_| closed())?;
        let idle = Arc::clone(&self.idle_readers);
        let (path, cache_kib) = (self.path.clone(), self.options.read_cache_kib);
        let task = tokio::task::spawn_blocking(move || {
            let kept = lock(&idle).pop();
            let mut connection = match kept {
                Some(connection) => connection,
                None => connect_reader(&path, cache_kib)?,
            };
            let snapshot = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let answer = work(&snapshot);
            drop(snapshot);
            lock(&idle).push(connection);
            drop(permit);
            answer
        });
        task.await.map_err(|error| Error::Broken(Box::new(error)))?
    }

    /// Runs `work` in one write transaction: committed when it answers `Ok`, undone otherwise.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let answer = self
            .on_writer(move |connection| {
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let answer = work(&tx)?;
                tx.commit()?;
                Ok(answer)
            })
            .await?;
        self.own_changes.fetch_add(1, Ordering::Relaxed);
        Ok(answer)
    }

    /// Runs `work` on the writer thread; `work` sees to its transactions itself.
    pub(crate) async fn on_writer<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody may be left to hear it: the caller was cancelled.
            let _ = answer.send(work(connection));
        });
        self.writer
            .as_ref()
            .ok_or_else(closed)?
            .send(job)
            .map_err(|_| closed())?;
        answered
            .await
            .map_err(|_| Error::Broken("a write panicked; it was undone".into()))?
    }

    /// Differs whenever another process has committed, or this one has by [`write`](Self::write).
    pub(crate) async fn change_token(&self) -> Result<u64> {
        // On the writer's own connection: there the number stands still while only it commits.
        let foreign: u32 = self
            .on_writer(|connection| {
                Ok(connection.query_one("pragma data_version", (), |row| row.get(0))?)
            })
            .await?;
        Ok((u64::from(foreign) << 32) ^ self.own_changes.load(Ordering::Relaxed))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.writer = None;
        if let Some(thread) = self.thread.take() {
            // A panic in there has been reported to its caller already.
            let _ = thread.join();
        }
    }
}

fn run_jobs(mut connection: Connection, jobs: &mpsc::Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        // A panic drops the job's transaction, which undoes it, and its answer, which tells the
        // caller; the connection stays good.
        if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
            tracing::error!("a store write panicked and was undone");
        }
    }
}

fn connect(path: &Path, cache_kib: u32) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.execute_batch(&format!(
        "pragma synchronous = full;
         pragma foreign_keys = on;
         pragma trusted_schema = off;
         pragma temp_store = memory;
         pragma wal_autocheckpoint = {WAL_CHECKPOINT_PAGES};
         pragma journal_size_limit = {WAL_BYTES_KEPT};
         pragma cache_size = -{cache_kib};"
    ))?;
    Ok(connection)
}

fn connect_reader(path: &Path, cache_kib: u32) -> Result<Connection> {
    let connection = connect(path, cache_kib)?;
    connection.execute_batch("pragma query_only = on")?;
    Ok(connection)
}

/// The switch needs the file to itself for a moment and does not wait by itself: another process
/// may be starting too.
fn switch_to_wal(connection: &Connection) -> Result<()> {
    let mut waited = Duration::ZERO;
    loop {
        let switched = connection.query_one("pragma journal_mode = wal", (), |row| {
            row.get::<_, String>(0)
        });
        match switched {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(Error::Broken(
                    format!("the file system allows journal mode {mode} only, not WAL").into(),
                ));
            }
            Err(error) if waited >= BUSY_TIMEOUT => return Err(error.into()),
            Err(error) => match Error::from(error) {
                Error::Unavailable(_) => std::thread::sleep(Duration::from_millis(20)),
                other => return Err(other),
            },
        }
        waited += Duration::from_millis(20);
    }
}

fn closed() -> Error {
    Error::Unavailable("the store is closing".to_owned())
}

/// A panic elsewhere does not spoil a list of idle connections.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(folder: &Path) -> Engine {
        let path = folder.join("copal.db");
        super::super::create_private_file(&path).unwrap();
        Engine::open(&path, Options::default()).unwrap()
    }

    #[tokio::test]
    async fn a_failed_write_is_undone() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        let failed: Result<()> = engine
            .write(|tx| {
                tx.execute("insert into meta (key, value) values ('a', '1')", ())?;
                Err(Error::NotFound { what: "test" })
            })
            .await;
        assert!(matches!(failed, Err(Error::NotFound { what: "test" })));
        assert_eq!(count_meta(&engine).await, 0);
    }

    #[tokio::test]
    async fn a_panicking_write_is_undone_and_the_next_one_works() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        let panicked: Result<()> = engine
            .write(|tx| {
                tx.execute("insert into meta (key, value) values ('a', '1')", ())?;
                panic!("for the test")
            })
            .await;
        assert!(matches!(panicked, Err(Error::Broken(_))));
        insert_meta(&engine, "b").await;
        assert_eq!(count_meta(&engine).await, 1);
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        let refused = engine
            .read(|connection| {
                Ok(connection.execute("insert into meta (key, value) values ('a', '1')", ())?)
            })
            .await;
        assert!(refused.is_err());
    }

    #[tokio::test]
    async fn the_token_changes_with_other_processes_and_own_writes_only() {
        let folder = tempfile::tempdir().unwrap();
        let (server, command) = (engine(folder.path()), engine(folder.path()));
        let first = server.change_token().await.unwrap();
        assert_eq!(server.change_token().await.unwrap(), first);
        insert_meta(&command, "foreign").await;
        let second = server.change_token().await.unwrap();
        assert_ne!(second, first);
        insert_meta(&server, "own").await;
        assert_ne!(server.change_token().await.unwrap(), second);
    }

    async fn insert_meta(engine: &Engine, key: &'static str) {
        engine
            .write(move |tx| {
                Ok(tx.execute("insert into meta (key, value) values (?1, '1')", (key,))?)
            })
            .await
            .unwrap();
    }

    async fn count_meta(engine: &Engine) -> i64 {
        engine
            .read(|connection| {
                Ok(connection.query_one(
                    "select count(*) from meta where key <> 'schema'",
                    (),
                    |row| row.get(0),
                )?)
            })
            .await
            .unwrap()
    }
}
