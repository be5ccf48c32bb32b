//! SQLite: the copy is a second file, attached.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use copal_model::{OrgId, Role, UserId};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{Column, Dump, Row, hex};

/// A second way into a file.
pub(super) struct Sqlite {
    connection: Connection,
    /// A copy of the database as it was when it was whole; no file until then.
    copy: PathBuf,
}

impl Sqlite {
    /// Looks into the database of the store in `folder`.
    pub(super) fn open(folder: &Path) -> Self {
        let connection = Connection::open(folder.join(copal_store::sqlite::FILE_NAME)).unwrap();
        connection
            .busy_timeout(std::time::Duration::from_secs(10))
            .unwrap();
        connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        let copy = folder.join("whole.db");
        let database = Self { connection, copy };
        if database.copy.exists() {
            database.attach_copy();
        }
        database
    }

    /// Keeps the database as it is now, to come back to.
    pub(super) fn keep(&self) {
        let copy = self.copy.to_str().unwrap();
        self.connection.execute("vacuum into ?1", (copy,)).unwrap();
        self.attach_copy();
    }

    /// Differs whenever anybody else has committed.
    pub(super) fn version(&self) -> u64 {
        self.connection
            .query_one("pragma data_version", (), |row| row.get(0))
            .unwrap()
    }

    /// Everything that is in the database.
    pub(super) fn dump(&self) -> Dump {
        self.dump_of("main")
    }

    /// Everything that was in it when it was whole; nothing until then.
    pub(super) fn dump_of_copy(&self) -> Dump {
        if self.copy.exists() {
            self.dump_of("whole")
        } else {
            Dump::new()
        }
    }

    /// All columns of all tables.
    pub(super) fn columns(&self) -> Vec<Column> {
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

    /// Takes tables from the copy that was kept.
    pub(super) fn restore(&self, tables: &BTreeSet<&str>) {
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
    }

    /// Makes somebody a member.
    pub(super) fn join(&self, org: OrgId, user: UserId, role: Role) {
        let (org, user) = (org.as_uuid().into_bytes(), user.as_uuid().into_bytes());
        let joined = self.connection.execute(
            "insert into members (org_id, user_id, role, joined_at) values (?1, ?2, ?3, 0)",
            (org, user, role.as_str()),
        );
        assert_eq!(joined.unwrap(), 1);
    }

    /// Ends a membership.
    pub(super) fn leave(&self, org: OrgId, user: UserId) {
        let (org, user) = (org.as_uuid().into_bytes(), user.as_uuid().into_bytes());
        let left = self.connection.execute(
            "delete from members where org_id = ?1 and user_id = ?2",
            (org, user),
        );
        assert_eq!(left.unwrap(), 1);
    }

    fn attach_copy(&self) {
        let copy = self.copy.to_str().unwrap();
        self.connection
            .execute("attach database ?1 as whole", (copy,))
            .unwrap();
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
