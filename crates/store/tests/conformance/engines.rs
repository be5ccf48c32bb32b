//! The engines under test, and a way around the trait where only that can show what a case is about.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use copal_model::Plans;
use copal_store::sqlite::FILE_NAME;
use copal_store::{Error, Options, Store, open};
use tempfile::TempDir;
use uuid::Uuid;

use crate::schema::{Schema, Version, on_postgres};

/// An empty store and what it is kept in.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) backdoor: Backdoor,
    folder: Arc<TempDir>,
    plans: Plans,
    _schema: Option<Arc<Schema>>,
}

/// Statements that no use case offers.
#[derive(Clone)]
pub(crate) enum Backdoor {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Engine {
    /// SQLite in a folder of its own.
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), None, Options::default()).await;
        Self {
            store: store.unwrap(),
            backdoor: Backdoor::Sqlite(folder.path().join(FILE_NAME)),
            folder: Arc::new(folder),
            plans: Plans::default(),
            _schema: None,
        }
    }

    /// A schema of PostgreSQL; `None` where there is no such server.
    pub(crate) async fn postgres(version: Version) -> Option<Self> {
        let schema = Schema::create(version).await?;
        let folder = tempfile::tempdir().unwrap();
        let open = || open(folder.path(), Some(&schema.url), Options::default());
        let store = patiently(open).await;
        Some(Self {
            store: store.unwrap(),
            backdoor: Backdoor::Postgres(schema.url.clone()),
            folder: Arc::new(folder),
            plans: Plans::default(),
            _schema: Some(Arc::new(schema)),
        })
    }

    /// Its data folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether processes share a data folder.
    pub(crate) fn shares_folder(&self) -> bool {
        matches!(self.backdoor, Backdoor::Sqlite(_))
    }

    /// The same store as another process opens it, which has a folder of its own if it can.
    pub(crate) async fn beside(&self) -> Result<(Arc<dyn Store>, TempDir), Error> {
        let folder = tempfile::tempdir().unwrap();
        let store = match &self.backdoor {
            Backdoor::Sqlite(_) => self.open_in(self.folder()).await,
            Backdoor::Postgres(_) => self.open_in(folder.path()).await,
        };
        Ok((store?, folder))
    }

    /// The same store, opened anew with other plans.
    pub(crate) async fn with_plans(self, plans: Plans) -> Self {
        let engine = Self { plans, ..self };
        let store = patiently(|| engine.open_in(engine.folder())).await;
        Self {
            store: store.unwrap(),
            ..engine
        }
    }

    async fn open_in(&self, folder: &Path) -> Result<Arc<dyn Store>, Error> {
        let options = Options {
            plans: self.plans,
            ..Options::default()
        };
        match &self.backdoor {
            Backdoor::Sqlite(_) => open(folder, None, options).await,
            Backdoor::Postgres(url) => open(folder, Some(url), options).await,
        }
    }
}

/// Files of payloads in a data folder.
pub(crate) fn segment_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(segment_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "seg") {
            files.push(path);
        }
    }
    files
}

/// Tries again while the store is not available, as callers do: a server answers late on a machine
/// that is busy.
pub(crate) async fn patiently<T, F>(work: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    for _ in 0..20 {
        match work().await {
            Err(Error::Unavailable(why)) => eprintln!("tried again: {why}"),
            answer => return answer,
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    work().await
}

impl Backdoor {
    /// Runs one statement; answers the engine's refusal, in small letters.
    pub(crate) fn execute(&self, sql: &str) -> Result<u64, String> {
        match self {
            Self::Sqlite(_) => self
                .sqlite()
                .execute(sql, ())
                .map(|changed| changed as u64)
                .map_err(|error| error.to_string().to_ascii_lowercase()),
            Self::Postgres(url) => on_postgres(url, async |client| {
                let changed = client.execute(sql, &[]).await;
                changed.map_err(|error| error.as_db_error().unwrap().message().to_ascii_lowercase())
            }),
        }
    }

    /// Runs a statement that foreign keys of a table would refuse.
    pub(crate) fn damage(&self, table: &str, sql: &str) {
        if let Self::Sqlite(_) = self {
            let db = self.sqlite();
            db.pragma_update(None, "foreign_keys", false).unwrap();
            db.execute(sql, ()).unwrap();
            return;
        }
        let keys = format!(
            "select coalesce(string_agg(format({{}}, '{table}', conname{{}}), '; '), '')
             from pg_constraint
             where conrelid = '{table}'::regclass
               and contype = 'f'"
        );
        let script = |format: &str, value: &str| {
            let query = keys.replacen("{}", format, 1).replacen("{}", value, 1);
            self.text(&query)
        };
        let add = script(
            "'alter table %I add constraint %I %s not valid'",
            ", pg_get_constraintdef(oid)",
        );
        let drop = script("'alter table %I drop constraint %I'", "");
        for script in [&drop[..], sql, &add] {
            self.run(script);
        }
    }

    fn text(&self, sql: &str) -> String {
        let Self::Postgres(url) = self else {
            panic!("this is not PostgreSQL");
        };
        on_postgres(url, async |client| {
            client.query_one(sql, &[]).await.unwrap().get(0)
        })
    }

    fn run(&self, script: &str) {
        let Self::Postgres(url) = self else {
            panic!("this is not PostgreSQL");
        };
        on_postgres(url, async |client| {
            client.batch_execute(script).await.unwrap();
        });
    }

    /// The number that a query finds.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        match self {
            Self::Sqlite(_) => self.sqlite().query_one(sql, (), |row| row.get(0)).unwrap(),
            Self::Postgres(url) => on_postgres(url, async |client| {
                client.query_one(sql, &[]).await.unwrap().get(0)
            }),
        }
    }

    /// A UUID as a statement writes it.
    pub(crate) fn uuid(&self, uuid: Uuid) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{}'", uuid.simple()),
            Self::Postgres(_) => format!("uuid '{uuid}'"),
        }
    }

    fn sqlite(&self) -> rusqlite::Connection {
        let Self::Sqlite(file) = self else {
            panic!("this is not SQLite");
        };
        let db = rusqlite::Connection::open(file).unwrap();
        db.pragma_update(None, "foreign_keys", true).unwrap();
        db.busy_timeout(Duration::from_secs(10)).unwrap();
        db
    }
}
