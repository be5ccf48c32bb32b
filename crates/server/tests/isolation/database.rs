//! The database as it is, around the store: what is in it, whether it has changed, and its way back.
//!
//! Everything here is read off the schema, so that a new table is looked at as soon as it exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use copal_model::{OrgId, Role, UserId};
use copal_store::Store;
use copal_store::sqlite::{Options, SqliteStore};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

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
    connection: Connection,
    /// A copy of the database as it was when it was whole; empty until then.
    copy: PathBuf,
    /// What is in the copy.
    whole: Dump,
    seen: u64,
}

/// Opens the store of a folder.
pub(crate) fn open_store(folder: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(folder, Options::default()).unwrap())
}

impl Database {
    /// Looks into the database of the store in `folder`.
    pub(crate) fn open(folder: &Path) -> Self {
        let connection = Connection::open(folder.join(copal_store::sqlite::FILE_NAME)).unwrap();
        connection
            .busy_timeout(std::time::Duration::from_secs(10))
            .unwrap();
        connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        let copy = folder.join("whole.db");
        let mut database = Self {
            connection,
            copy,
            whole: Dump::new(),
            seen: 0,
        };
        if database.copy.exists() {
            database.attach_copy();
        }
        database.seen = database.version();
        database
    }

    /// Keeps the database as it is now, to come back to.
    pub(crate) fn keep(&mut self) {
        let copy = self.copy.to_str().unwrap();
        self.connection.execute("vacuum into ?1", (copy,)).unwrap();
        self.attach_copy();
        self.seen = self.version();
    }

    /// Whether anybody has committed since this was last asked.
    pub(crate) fn has_moved(&mut self) -> bool {
        let version = self.version();
        std::mem::replace(&mut self.seen, version) != version
    }

    /// What differs from the copy that was kept.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let (now, then) = (self.dump_of("main"), &self.whole);
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

    /// Everything that is in the database.
    pub(crate) fn dump(&self) -> Dump {
        self.dump_of("main")
    }

    /// Everything that was in the database when it was whole.
    pub(crate) const fn whole(&self) -> &Dump {
        &self.whole
    }

    /// All columns of all tables.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let mut columns = self
            .connection
            .prepare(
                "select s.name, c.name, lower(c.type) = 'text'
                 from whole.sqlite_schema s
                 join pragma_table_info(s.name, 'whole') c
                 where s.type = 'table' and s.name not like 'sqlite_%'",
            )
            .unwrap();
        let found = columns.query_map((), |row| {
            Ok(Column {
                table: row.get(0)?,
                name: row.get(1)?,
                is_text: row.get(2)?,
            })
        });
        found.unwrap().map(Result::unwrap).collect()
    }

    /// Takes back all that has changed since the copy was kept.
    pub(crate) fn restore(&mut self, changes: &[Change]) {
        let tables: BTreeSet<_> = changes.iter().map(|change| &change.table).collect();
        let mut script = "begin immediate;".to_owned();
        for table in tables {
            let copied = format!(
                "delete from main.\"{table}\";
                 insert into main.\"{table}\" select * from whole.\"{table}\";"
            );
            script.push_str(&copied);
        }
        script.push_str("commit;");
        self.connection.execute_batch(&script).unwrap();
        self.has_moved();
    }

    /// Makes somebody a member.
    pub(crate) fn join(&self, org: OrgId, user: UserId, role: Role) {
        let (org, user) = (org.as_uuid().into_bytes(), user.as_uuid().into_bytes());
        let joined = self.connection.execute(
            "insert into members (org_id, user_id, role, joined_at) values (?1, ?2, ?3, 0)",
            (org, user, role.as_str()),
        );
        assert_eq!(joined.unwrap(), 1);
    }

    /// Ends a membership.
    pub(crate) fn leave(&self, org: OrgId, user: UserId) {
        let (org, user) = (org.as_uuid().into_bytes(), user.as_uuid().into_bytes());
        let left = self.connection.execute(
            "delete from members where org_id = ?1 and user_id = ?2",
            (org, user),
        );
        assert_eq!(left.unwrap(), 1);
    }

    fn version(&self) -> u64 {
        self.connection
            .query_one("pragma data_version", (), |row| row.get(0))
            .unwrap()
    }

    fn attach_copy(&mut self) {
        let copy = self.copy.to_str().unwrap();
        self.connection
            .execute("attach database ?1 as whole", (copy,))
            .unwrap();
        self.whole = self.dump_of("whole");
    }

    fn dump_of(&self, database: &str) -> Dump {
        let mut tables = self
            .connection
            .prepare_cached(&format!(
                "select name from {database}.sqlite_schema
                 where type = 'table' and name not like 'sqlite_%'"
            ))
            .unwrap();
        let names = tables.query_map((), |row| row.get::<_, String>(0)).unwrap();
        let names: Vec<_> = names.map(Result::unwrap).collect();
        let rows = |table: String| {
            let rows = self.rows(&format!("select * from {database}.\"{table}\""));
            (table, rows)
        };
        names.into_iter().map(rows).collect()
    }

    fn rows(&self, query: &str) -> BTreeSet<Row> {
        let mut statement = self.connection.prepare(query).unwrap();
        let columns: Vec<_> = statement.column_names().map(str::to_owned).collect();
        let read = |row: &rusqlite::Row<'_>| {
            let value = |place| row.get_ref(place).map(text_of);
            let named = columns.iter().enumerate();
            named
                .map(|(place, name)| Ok((name.clone(), value(place)?)))
                .collect::<rusqlite::Result<Row>>()
        };
        let rows = statement.query_map((), read).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

fn text_of(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Some(hex(bytes)),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap();
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    digits.collect()
}
