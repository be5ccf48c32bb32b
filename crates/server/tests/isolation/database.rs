//! The database as it is, around the store: what is in it, whether it has changed, and its way back.
//!
//! Everything here is read off the schema, so that a new table is looked at as soon as it exists. The
//! only files that know which engine the store is on are this one, those below it and `place.rs`.

mod postgres;
mod sqlite;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use copal_model::{OrgId, Role, UserId};

use crate::place::Place;
use postgres::Postgres;
use sqlite::Sqlite;

/// A row: its columns by name. Bytes are written in hexadecimal digits, no value is `None`.
pub(crate) type Row = BTreeMap<String, Option<String>>;

/// All rows of all tables.
pub(crate) type Dump = BTreeMap<String, BTreeSet<Row>>;

/// A row that came or went.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) table: String,
    pub(crate) row: Row,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) is_text: bool,
}

/// A second way into a store's database.
pub(crate) struct Database {
    engine: Engine,
    /// What there was when it was whole.
    whole: Dump,
    seen: u64,
}

enum Engine {
    Sqlite(Mutex<Sqlite>),
    Postgres(Postgres),
}

impl Database {
    /// Looks into the database of the store at a place.
    pub(crate) async fn open(place: &Place) -> Self {
        let engine = match place.url() {
            None => Engine::Sqlite(Mutex::new(Sqlite::open(place.folder()))),
            Some(url) => Engine::Postgres(Postgres::open(url).await),
        };
        let mut database = Self {
            engine,
            whole: Dump::new(),
            seen: 0,
        };
        database.whole = match &database.engine {
            Engine::Sqlite(sqlite) => sqlite.lock().unwrap().dump_of_copy(),
            Engine::Postgres(postgres) => postgres.dump_of_copy().await,
        };
        database.seen = database.version().await;
        database
    }

    /// Keeps the database as it is now, to come back to.
    pub(crate) async fn keep(&self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.lock().unwrap().keep(),
            Engine::Postgres(postgres) => postgres.keep().await,
        }
    }

    /// What differs from the copy that was kept.
    pub(crate) async fn changes(&mut self) -> Vec<Change> {
        let version = self.version().await;
        if std::mem::replace(&mut self.seen, version) == version {
            return Vec::new();
        }
        match &self.engine {
            Engine::Sqlite(sqlite) => difference(&sqlite.lock().unwrap().dump(), &self.whole),
            Engine::Postgres(postgres) => postgres.changes().await,
        }
    }

    /// Everything that is in the database.
    pub(crate) async fn dump(&self) -> Dump {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.lock().unwrap().dump(),
            Engine::Postgres(postgres) => postgres.dump().await,
        }
    }

    /// Everything that was in the database when it was whole.
    pub(crate) const fn whole(&self) -> &Dump {
        &self.whole
    }

    /// All columns of all tables.
    pub(crate) async fn columns(&self) -> Vec<Column> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.lock().unwrap().columns(),
            Engine::Postgres(postgres) => postgres.columns().await,
        }
    }

    /// Takes back all that has changed since the copy was kept.
    pub(crate) async fn restore(&mut self, changes: &[Change]) {
        let tables: BTreeSet<_> = changes.iter().map(|change| &*change.table).collect();
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.lock().unwrap().restore(&tables),
            Engine::Postgres(postgres) => postgres.restore(&tables).await,
        }
        self.seen = self.version().await;
    }

    /// Makes somebody a member.
    pub(crate) async fn join(&self, org: OrgId, user: UserId, role: Role) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.lock().unwrap().join(org, user, role),
            Engine::Postgres(postgres) => postgres.join(org, user, role).await,
        }
    }

    /// Ends a membership.
    pub(crate) async fn leave(&self, org: OrgId, user: UserId) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.lock().unwrap().leave(org, user),
            Engine::Postgres(postgres) => postgres.leave(org, user).await,
        }
    }

    async fn version(&self) -> u64 {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.lock().unwrap().version(),
            Engine::Postgres(postgres) => postgres.version().await,
        }
    }
}

fn difference(now: &Dump, then: &Dump) -> Vec<Change> {
    let mut changes = Vec::new();
    let tables: BTreeSet<_> = now.keys().chain(then.keys()).collect();
    let nothing = BTreeSet::new();
    for table in tables {
        let now = now.get(table).unwrap_or(&nothing);
        let then = then.get(table).unwrap_or(&nothing);
        for row in now.symmetric_difference(then) {
            changes.push(Change {
                table: table.clone(),
                row: row.clone(),
            });
        }
    }
    changes
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap();
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    digits.collect()
}
