//! A pool of connections to one PostgreSQL database, and the transactions on it.
//!
//! Many processes write at the same time. A transaction that checks something and then acts on it
//! first locks the row that the rule is about, so that others who ask the same wait; what still
//! collides is tried again here, and only here. The database being away is
//! [`Error::Unavailable`], known within [`AWAY_AFTER`].

use std::time::Duration;

use deadpool_postgres::{Client, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod};
use futures_util::future::BoxFuture;
use tokio_postgres::IsolationLevel;

use super::address::Address;
use super::{count, error, execute, guarantees, migrations};
use crate::{Error, Result};

/// How long a transaction waits for a connection and for the server's first answer.
const AWAY_AFTER: Duration = Duration::from_millis(2_500);
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

/// A transaction, and a cache of statements that are prepared on its connection.
pub(crate) type Tx<'a> = deadpool_postgres::Transaction<'a>;

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
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async {
                    let set = client.batch_execute(SETTINGS).await;
                    set.map_err(HookError::Backend)
                })
            }))
            .build()
            .map_err(|error| Error::Broken(Box::new(error)))?;
        let engine = Self { pool };
        let mut client = engine.connection().await?;
        require_server(&client).await?;
        migrations::apply(&mut client).await?;
        drop(client);
        Ok(engine)
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
        self.read(|tx| Box::pin(count(tx, "select number from changes", &[])))
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
        let mut client = self.connection().await?;
        let builder = client.build_transaction();
        let builder = match aim {
            Aim::Read => builder
                .isolation_level(IsolationLevel::RepeatableRead)
                .read_only(true),
            // Each statement sees what those committed whose locks it waited for.
            Aim::Write | Aim::Record => builder
                .isolation_level(IsolationLevel::ReadCommitted)
                .read_only(false),
        };
        let tx = in_time(builder.start()).await??;
        let answer = work(&tx).await?;
        if aim == Aim::Write {
            // Last, so that nobody who holds this row waits for another one.
            execute(&tx, "update changes set number = number + 1", &[]).await?;
        }
        // Reads end by being dropped: nobody has to wait for that.
        if aim != Aim::Read {
            tx.commit().await?;
        }
        Ok(answer)
    }

    async fn connection(&self) -> Result<Client> {
        Ok(in_time(self.pool.get()).await??)
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

async fn in_time<T>(work: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(AWAY_AFTER, work)
        .await
        .map_err(|_| Error::Unavailable("the database does not answer".to_owned()))
}

/// A random part of a pause, so that those who collided do not do it again together.
fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX);
    pause.mul_f64(f64::from(random) / f64::from(u32::MAX))
}
