//! A pool of connections to one PostgreSQL database, and the transactions on it.
//!
//! Many processes write at the same time. A transaction that checks something and then acts on it
//! first locks the row that the rule is about, so that others who ask the same wait; what still
//! collides is tried again here, and only here. The database being away is
//! [`Error::Unavailable`], known within [`AWAY_AFTER`].
//!
//! A way to the server and back costs more than most questions. So a question that is one
//! statement needs no transaction, a reading transaction sends its begin and its first statement
//! in one go, and nobody waits for its end.

use std::ops::Deref;
use std::time::Duration;

use deadpool_postgres::{
    Client, ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, QueueMode,
    RecyclingMethod,
};
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture, TryFutureExt as _};
use tokio::time::{Instant, timeout_at};

use super::address::Address;
use super::{count, error, execute, guarantees, migrations};
use crate::{Error, Result};

/// How long a transaction waits until it has begun: for a connection, and for the server's first
/// answer. Nobody waits longer for a page that cannot be shown.
const AWAY_AFTER: Duration = Duration::from_secs(2);
/// How long the kernel waits until the server's machine confirms what was sent to it.
const UNCONFIRMED_AFTER: Duration = AWAY_AFTER;
/// How long a connection is silent until the kernel asks whether the server's machine is there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
/// How often it asks, three times at most.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// Tries of a transaction that collides with others, the first one included.
const TRIES: u32 = 6;
/// The longest pause before the second try; it doubles from try to try.
const PAUSE: Duration = Duration::from_millis(10);

/// What every connection is told first. The times are in milliseconds.
///
/// A statement that is slow for good reasons asks for [`more_time`].
const SETTINGS: &str = "set synchronous_commit = on;
    set statement_timeout = 15000;
    set lock_timeout = 10000;
    set idle_in_transaction_session_timeout = 60000";

/// One snapshot while it is read.
const BEGIN_READ: &str = "begin isolation level repeatable read, read only";
/// Each statement sees what those committed whose locks it waited for.
const BEGIN_WRITE: &str = "begin isolation level read committed, read write";

/// A transaction, and a cache of statements that are prepared on its connection. What is not
/// committed is undone when this is dropped.
pub(crate) struct Tx<'a> {
    client: &'a ClientWrapper,
    /// Whether the server was told to begin and not yet to end.
    is_open: bool,
}

/// How much of the database server the engine may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Connections that may be open at the same time.
    pub connections: usize,
}

impl Default for Options {
    /// A dozen processes stay below the hundred connections that PostgreSQL allows by default.
    fn default() -> Self {
        Self { connections: 8 }
    }
}

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    Ask,
    Read,
    Write,
    Record,
}

/// The open database.
pub(crate) struct Engine {
    pool: Pool,
}

impl Engine {
    /// Connects, and brings the schema up to date.
    pub(crate) async fn open(url: &str, options: Options) -> Result<Self> {
        let address = Address::parse(url)?;
        let manager = Manager::from_config(
            config(&address),
            address.tls,
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let pool = Pool::builder(manager)
            .max_size(options.connections.max(1))
            // The connection that was used last knows the statements, and its server's process
            // has at hand what they read.
            .queue_mode(QueueMode::Lifo)
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async {
                    let set = client.batch_execute(SETTINGS).await;
                    set.map_err(HookError::Backend)
                })
            }))
            .build()
            .map_err(|error| Error::Broken(Box::new(error)))?;
        let engine = Self { pool };
        let client = engine.connection(Instant::now() + AWAY_AFTER).await?;
        require_server(&client).await?;
        migrations::apply(&client).await?;
        drop(client);
        Ok(engine)
    }

    /// Asks what one statement finds by a key: it is a snapshot by itself. Its answer is due as
    /// soon as a transaction's begin.
    pub(crate) async fn ask<T, F>(&self, work: F) -> Result<T>
    where
        F: for<'a> Fn(&'a Tx<'a>) -> BoxFuture<'a, Result<T>> + Send + Sync,
    {
        self.run(Aim::Ask, work).await
    }

    /// Reads in one snapshot: all statements of `work` see the same commit.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: for<'a> Fn(&'a Tx<'a>) -> BoxFuture<'a, Result<T>> + Send + Sync,
    {
        self.run(Aim::Read, work).await
    }

    /// Runs `work` in one write transaction: committed when it answers `Ok`, undone otherwise. It
    /// runs again when it collides with another one.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: for<'a> Fn(&'a Tx<'a>) -> BoxFuture<'a, Result<T>> + Send + Sync,
    {
        self.run(Aim::Write, work).await
    }

    /// The same for what changes telemetry only: nobody has to drop a cache because of it.
    pub(crate) async fn record<T, F>(&self, work: F) -> Result<T>
    where
        F: for<'a> Fn(&'a Tx<'a>) -> BoxFuture<'a, Result<T>> + Send + Sync,
    {
        self.run(Aim::Record, work).await
    }

    /// Differs whenever a process has committed by [`write`](Self::write).
    pub(crate) async fn change_token(&self) -> Result<u64> {
        self.ask(|tx| Box::pin(count(tx, "select number from changes", &[])))
            .await
    }

    async fn run<T, F>(&self, aim: Aim, work: F) -> Result<T>
    where
        F: for<'a> Fn(&'a Tx<'a>) -> BoxFuture<'a, Result<T>> + Send + Sync,
    {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.attempt(aim, &work).await {
                Err(error) if error::is_collision(&error) => {
                    tracing::debug!(%error, "a transaction collided and is tried again");
                    tokio::time::sleep(jittered(pause)).await;
                    pause *= 2;
                }
                answer => return answer,
            }
        }
        self.attempt(aim, &work).await.map_err(error::give_up)
    }

    async fn attempt<T, F>(&self, aim: Aim, work: &F) -> Result<T>
    where
        F: for<'a> Fn(&'a Tx<'a>) -> BoxFuture<'a, Result<T>> + Send + Sync,
    {
        let until = Instant::now() + AWAY_AFTER;
        match self.lease(until).await?.transact(aim, until, work).await {
            // A connection that was lost while nobody used it is noticed only now.
            Err(Failure::Lost(error)) => tracing::debug!(%error, "a connection was lost"),
            answer => return Ok(answer?),
        }
        Ok(self.lease(until).await?.transact(aim, until, work).await?)
    }

    async fn lease(&self, until: Instant) -> Result<Lease> {
        Ok(Lease(Some(self.connection(until).await?)))
    }

    async fn connection(&self, until: Instant) -> Result<Client> {
        let client = timeout_at(until, self.pool.get()).await;
        Ok(client.map_err(|_| Failure::Late)??)
    }
}

/// Why a transaction has no answer.
enum Failure {
    /// It has done nothing: the connection, or the server, is not what it was.
    Lost(Error),
    /// It may not have begun, and nobody waits for it any more.
    Late,
    /// It was answered, and is undone.
    Refused(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Late => Self::Unavailable("the database does not answer".to_owned()),
            Failure::Lost(error) | Failure::Refused(error) => error,
        }
    }
}

/// A connection of the pool for one transaction. It goes back when the server has answered; else
/// it is closed, since the next one would wait for what nobody waits for.
struct Lease(Option<Client>);

impl Lease {
    /// Runs a transaction, once.
    async fn transact<T, F>(mut self, aim: Aim, until: Instant, work: &F) -> Result<T, Failure>
    where
        F: for<'a> Fn(&'a Tx<'a>) -> BoxFuture<'a, Result<T>> + Send + Sync,
    {
        let client = self.0.as_ref().expect("it is taken below only");
        let answer = transact(client, aim, until, work).await;
        if matches!(answer, Ok(_) | Err(Failure::Refused(_))) {
            drop(self.0.take());
        }
        answer
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.0.take().map(Client::take));
    }
}

async fn transact<T, F>(
    client: &ClientWrapper,
    aim: Aim,
    until: Instant,
    work: &F,
) -> Result<T, Failure>
where
    F: for<'a> Fn(&'a Tx<'a>) -> BoxFuture<'a, Result<T>> + Send + Sync,
{
    let is_open = aim != Aim::Ask;
    let mut tx = Tx { client, is_open };
    match aim {
        Aim::Ask => match timeout_at(until, work(&tx)).await {
            Err(_) => Err(Failure::Late),
            Ok(Err(error @ Error::Unavailable(_))) => Err(Failure::Lost(error)),
            Ok(answer) => answer.map_err(Failure::Refused),
        },
        Aim::Read => {
            let begun = begin(&tx, BEGIN_READ, until);
            let answer = work(&tx).map_err(Failure::Refused);
            // Both are sent in one go. Where the first fails its error is what counts.
            Ok(future::try_join(begun, answer).await?.1)
        }
        Aim::Write | Aim::Record => {
            begin(&tx, BEGIN_WRITE, until).await?;
            let answer = work(&tx).await.map_err(Failure::Refused)?;
            commit(&mut tx, aim).await.map_err(Failure::Refused)?;
            Ok(answer)
        }
    }
}

async fn begin(tx: &Tx<'_>, how: &str, until: Instant) -> Result<(), Failure> {
    let begun = timeout_at(until, tx.batch_execute(how)).await;
    begun
        .map_err(|_| Failure::Late)?
        .map_err(|error| Failure::Lost(error.into()))
}

async fn commit(tx: &mut Tx<'_>, aim: Aim) -> Result<()> {
    if aim == Aim::Write {
        // Last, so that nobody who holds this row waits for another one.
        execute(tx, "update changes set number = number + 1", &[]).await?;
    }
    tx.is_open = false;
    Ok(tx.batch_execute("commit").await?)
}

impl<'a> Tx<'a> {
    /// Begins one that writes, as long as it takes; [`commit`](Self::commit) ends it.
    pub(super) async fn begin(client: &'a ClientWrapper) -> Result<Self> {
        Self::begin_as(client, BEGIN_WRITE).await
    }

    /// The same for reading alone, which a standby allows too.
    pub(super) async fn begin_reading(client: &'a ClientWrapper) -> Result<Self> {
        Self::begin_as(client, BEGIN_READ).await
    }

    async fn begin_as(client: &'a ClientWrapper, how: &str) -> Result<Self> {
        let tx = Self {
            client,
            is_open: true,
        };
        tx.batch_execute(how).await?;
        Ok(tx)
    }

    /// Makes what was done last.
    pub(super) async fn commit(mut self) -> Result<()> {
        commit(&mut self, Aim::Record).await
    }
}

impl Deref for Tx<'_> {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.client
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // It is on its way after the first look; nobody waits for the answer, and whoever
            // uses the connection next is served after it.
            let _ = self.client.batch_execute("rollback").now_or_never();
        }
    }
}

/// Allows the statements of this transaction that follow to take ten minutes each.
pub(crate) async fn more_time(tx: &Tx<'_>) -> Result<()> {
    Ok(tx
        .batch_execute("set local statement_timeout = 600000")
        .await?)
}

fn config(address: &Address) -> tokio_postgres::Config {
    let mut config = address.config.clone();
    if config.get_application_name().is_none() {
        config.application_name("copal");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(AWAY_AFTER);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNCONFIRMED_AFTER);
    }
    config
        .keepalives_idle(KEEPALIVE_IDLE)
        .keepalives_interval(KEEPALIVE_INTERVAL)
        .keepalives_retries(3);
    config
}

/// Refuses servers that the tests know nothing about.
async fn require_server(client: &Client) -> Result<()> {
    let row = client
        .query_one(
            "select current_setting('server_version_num')::integer,
                current_setting('server_version'), current_setting('server_encoding')",
            &[],
        )
        .await?;
    let refusal = guarantees::refusal(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    refusal.map_or(Ok(()), |why| Err(Error::Broken(why.into())))
}

/// A random part of a pause, so that those who collided do not do it again together.
fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX);
    pause.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use tokio::sync::Barrier;

    use super::super::schema::{Schema, Version};
    use super::*;

    /// An engine on a schema of its own; `None` where there is no server.
    async fn engine(connections: usize) -> Option<(Engine, Schema)> {
        let schema = Schema::create(Version::Oldest).await?;
        let engine = Engine::open(&schema.url, Options { connections }).await;
        Some((engine.unwrap(), schema))
    }

    async fn count_meta(engine: &Engine) -> u64 {
        let sql = "select count(*) from meta where key in ('a', 'b')";
        let counted = engine.read(move |tx| Box::pin(count(tx, sql, &[]))).await;
        counted.unwrap()
    }

    const INSERT: &str = "insert into meta (key, value) values ('a', '1')";

    // On two threads: a schema is dropped while connections still say goodbye.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_failed_write_is_undone() {
        let Some((engine, _schema)) = engine(2).await else {
            return;
        };
        let failed: Result<()> = engine
            .write(|tx| {
                Box::pin(async move {
                    execute(tx, INSERT, &[]).await?;
                    Err(Error::NotFound { what: "test" })
                })
            })
            .await;
        assert!(matches!(failed, Err(Error::NotFound { what: "test" })));
        assert_eq!(count_meta(&engine).await, 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn readers_cannot_write() {
        let Some((engine, _schema)) = engine(1).await else {
            return;
        };
        let refused = engine.read(|tx| Box::pin(execute(tx, INSERT, &[]))).await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        assert_eq!(count_meta(&engine).await, 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_token_changes_with_writes_of_all_but_telemetry() {
        let Some((server, schema)) = engine(2).await else {
            return;
        };
        let command = Engine::open(&schema.url, Options::default()).await.unwrap();
        let first = server.change_token().await.unwrap();
        let recorded = server.record(|tx| Box::pin(execute(tx, INSERT, &[]))).await;
        assert_eq!(recorded.unwrap(), 1);
        assert_eq!(server.change_token().await.unwrap(), first);
        let delete = "delete from meta where key = 'a'";
        let deleted = command.write(|tx| Box::pin(execute(tx, delete, &[]))).await;
        assert_eq!(deleted.unwrap(), 1);
        assert_ne!(server.change_token().await.unwrap(), first);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn transactions_that_wait_for_each_other_both_come_to_an_end() {
        let Some((engine, _schema)) = engine(3).await else {
            return;
        };
        let make = "insert into meta (key, value) values ('a', '0'), ('b', '0')";
        let inserted = engine.write(|tx| Box::pin(execute(tx, make, &[]))).await;
        assert_eq!(inserted.unwrap(), 2);
        // In opposite orders, and the second row not before the other one holds it.
        let (tries, both) = (AtomicUsize::new(0), Arc::new(Barrier::new(2)));
        let cross = |first: &'static str, second: &'static str| {
            let (tries, both) = (&tries, Arc::clone(&both));
            engine.record(move |tx| {
                let both = Arc::clone(&both);
                let is_first = tries.fetch_add(1, Ordering::SeqCst) < 2;
                Box::pin(async move {
                    let add = "update meta set value = value::int + 1 where key = $1";
                    execute(tx, add, &[&first]).await?;
                    if is_first {
                        both.wait().await;
                    }
                    execute(tx, add, &[&second]).await
                })
            })
        };
        let (one, other) = tokio::join!(cross("a", "b"), cross("b", "a"));
        assert_eq!((one.unwrap(), other.unwrap()), (1, 1));
        assert!(tries.load(Ordering::SeqCst) > 2);
        let sum = "select sum(value::int) from meta where key in ('a', 'b')";
        let sum = engine.read(|tx| Box::pin(count(tx, sum, &[]))).await;
        assert_eq!(sum.unwrap(), 4);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_collides_each_time_is_told_to_come_later() {
        let Some((engine, _schema)) = engine(1).await else {
            return;
        };
        let tries = AtomicUsize::new(0);
        let collided = engine
            .write(|tx| {
                tries.fetch_add(1, Ordering::SeqCst);
                Box::pin(async move {
                    let collide = "do $$ begin raise sqlstate '40001'; end $$";
                    Ok(tx.batch_execute(collide).await?)
                })
            })
            .await;
        assert!(
            matches!(collided, Err(Error::Unavailable(_))),
            "{collided:?}"
        );
        assert_eq!(tries.load(Ordering::SeqCst), TRIES as usize);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_connection_that_was_cut_is_replaced() {
        let Some((engine, schema)) = engine(1).await else {
            return;
        };
        let pid = "select pg_backend_pid()::bigint";
        for _ in 0..20 {
            let pid = engine.read(move |tx| Box::pin(count(tx, pid, &[]))).await;
            let cut = format!("select pg_terminate_backend({}, 1000)", pid.unwrap());
            let client = super::super::schema::connect(&schema.url).await.unwrap();
            client.batch_execute(&cut).await.unwrap();
            assert_eq!(count_meta(&engine).await, 0);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_absent_database_is_unavailable_within_three_seconds() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = closed.local_addr().unwrap();
        drop(closed);
        // Takes connections, as the kernel does for a server that hangs, and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        for address in [nobody, silent.local_addr().unwrap()] {
            let begun = Instant::now();
            let url = format!("postgres://ana:s3cret@{address}/copal");
            let opened = Engine::open(&url, Options::default()).await;
            let error = opened.err().expect("there is no database");
            assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("s3cret"));
            assert!(begun.elapsed() < Duration::from_secs(3));
        }
    }
}
