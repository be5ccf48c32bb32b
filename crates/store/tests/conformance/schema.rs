//! Schemas of PostgreSQL for tests, one each.
//!
//! `COPAL_TEST_POSTGRES` holds addresses of servers with a blank between them, the oldest version
//! first. All schemas are in one database, which the first test makes.

use std::time::Duration;

use tokio_postgres::NoTls;
use uuid::Uuid;

/// Which of the servers is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Version {
    Oldest,
    Newest,
}

/// The database of tests.
const DATABASE: &str = "copal_conformance";

/// A schema of the database of tests, gone when the test is over.
pub(crate) struct Schema {
    /// An address in which it is the place of all tables.
    pub(crate) url: String,
    name: String,
}

impl Schema {
    /// Makes one; `None` where there is no such server.
    pub(crate) async fn create(version: Version) -> Option<Self> {
        let address = address(version)?;
        let name = format!("copal_{}", Uuid::new_v4().simple());
        let base = database(&address, DATABASE);
        make_database(&address, &base).await;
        let client = connect(&base).await.unwrap();
        client
            .batch_execute(&format!("create schema {name}"))
            .await
            .unwrap();
        let mark = if base.contains('?') { '&' } else { '?' };
        let url = format!("{base}{mark}options=-csearch_path%3D{name}");
        Some(Self { url, name })
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let sql = format!("drop schema if exists {} cascade", self.name);
        let dropped = on_postgres(&self.url, async |client| client.batch_execute(&sql).await);
        if let Err(error) = dropped {
            eprintln!("the schema {} stays: {error:?}", self.name);
        }
    }
}

/// The address of a server. Without one a test is skipped, which must not happen where all are
/// meant to run.
fn address(version: Version) -> Option<String> {
    let addresses = std::env::var("COPAL_TEST_POSTGRES").unwrap_or_default();
    let mut addresses = addresses.split_whitespace();
    let found = match version {
        Version::Oldest => addresses.next(),
        Version::Newest => addresses.nth(1),
    };
    if found.is_none() {
        let why = format!("COPAL_TEST_POSTGRES names no server for {version:?}");
        assert!(std::env::var_os("CI").is_none(), "{why}");
        eprintln!("SKIPPED: {why}");
    }
    found.map(str::to_owned)
}

/// The address with another database.
fn database(address: &str, name: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let (server, _) = path.rsplit_once('/').unwrap();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{server}/{name}{mark}{query}")
}

/// Makes the database of tests, whichever test is first.
async fn make_database(address: &str, base: &str) {
    for _ in 0..100 {
        if connect(base).await.is_ok() {
            return;
        }
        // Others may be doing it: then it is there in a moment.
        let client = connect(address).await.unwrap();
        let _ = client
            .batch_execute(&format!("create database {DATABASE} template template0"))
            .await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the database {DATABASE} cannot be made");
}

/// A connection of its own.
pub(crate) async fn connect(url: &str) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// On a thread of its own, so that it can be called from anywhere.
pub(crate) fn on_postgres<T: Send>(
    url: &str,
    work: impl AsyncFnOnce(&tokio_postgres::Client) -> T + Send,
) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let client = connect(url).await.unwrap();
                work(&client).await
            })
        });
        thread.join().unwrap()
    })
}
