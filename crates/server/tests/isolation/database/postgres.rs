//! PostgreSQL: the copy is a second schema, and the server itself says what differs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use copal_model::{OrgId, Role, UserId};
use serde_json::Value;
use tokio_postgres::Client;

use super::{Change, Column, Dump, Row};
use crate::place;

/// Where the tables of the store are.
const STORE: &str = "public";
/// Where their copies are.
const COPY: &str = "whole";

/// Counts transactions, also those that did nothing; it is of no tenant.
const COUNTER: &str = "changes";

/// A second way into a database.
pub(super) struct Postgres {
    client: Client,
    /// Asks for all rows that came or went, in one go; empty until there is a copy.
    differences: String,
    tables: BTreeMap<String, Table>,
}

/// A table's columns: those of its primary key, and the others.
#[derive(Debug, Default)]
struct Table {
    key: Vec<String>,
    others: Vec<String>,
}

impl Postgres {
    /// Looks into a database.
    pub(super) async fn open(url: &str) -> Self {
        let client = place::connect(url).await;
        client
            .batch_execute("set synchronous_commit = off")
            .await
            .unwrap();
        let mut postgres = Self {
            client,
            differences: String::new(),
            tables: BTreeMap::new(),
        };
        postgres.differences = postgres.ask_for_differences().await;
        postgres.read_keys().await;
        postgres
    }

    /// Keeps the database as it is now, to come back to.
    pub(super) async fn keep(&self) {
        let mut script = format!("create schema {COPY};");
        for table in self.tables(STORE).await {
            let copy = format!("create table {COPY}.{table} as table {STORE}.{table};");
            script.push_str(&copy);
        }
        self.client.batch_execute(&script).await.unwrap();
        self.let_restore().await;
    }

    /// Lets a transaction of ours break what a table says of another, until it ends.
    async fn let_restore(&self) {
        let asked = "select format('alter table %s alter constraint %I deferrable initially %s',
                conrelid::regclass, conname,
                case when condeferred then 'deferred' else 'immediate' end)
            from pg_constraint
            where contype = 'f' and connamespace = $1::text::regnamespace";
        for row in self.client.query(asked, &[&STORE]).await.unwrap() {
            let sql: String = row.get(0);
            self.client.batch_execute(&sql).await.unwrap();
        }
    }

    /// Differs whenever anybody in the whole cluster has changed anything.
    pub(super) async fn version(&self) -> u64 {
        let asked = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
        let row = self.client.query_one(asked, &[]).await.unwrap();
        row.get::<_, i64>(0).unsigned_abs()
    }

    /// What differs from the copy that was kept.
    pub(super) async fn changes(&self) -> Vec<Change> {
        let rows = self.client.query(&self.differences, &[]).await.unwrap();
        let change = |row: &tokio_postgres::Row| Change {
            table: row.get(0),
            row: read(row.get(1)),
        };
        rows.iter().map(change).collect()
    }

    /// Everything that is in the database.
    pub(super) async fn dump(&self) -> Dump {
        self.dump_of(STORE).await
    }

    /// Everything that was in it when it was whole; nothing until then.
    pub(super) async fn dump_of_copy(&self) -> Dump {
        self.dump_of(COPY).await
    }

    /// All columns of all tables.
    pub(super) async fn columns(&self) -> Vec<Column> {
        let rows = self
            .client
            .query(
                "select table_name::text, column_name::text, data_type = 'text'
                 from information_schema.columns
                 where table_schema = $1",
                &[&COPY],
            )
            .await
            .unwrap();
        let column = |row: &tokio_postgres::Row| Column {
            table: row.get(0),
            name: row.get(1),
            is_text: row.get(2),
        };
        rows.iter().map(column).collect()
    }

    /// Takes tables from the copy that was kept: what is new goes, what has changed or gone is put
    /// back. Rows that stay are not deleted in between, since others would go with them.
    pub(super) async fn restore(&self, tables: &BTreeSet<&str>) {
        let mut script = "begin; set constraints all deferred;".to_owned();
        for table in tables {
            script.push_str(&self.tables[*table].without_new_rows(table));
        }
        for table in tables {
            script.push_str(&self.tables[*table].with_old_rows(table));
        }
        script.push_str("commit;");
        self.client.batch_execute(&script).await.unwrap();
    }

    /// Makes somebody a member.
    pub(super) async fn join(&self, org: OrgId, user: UserId, role: Role) {
        let sql = "insert into members (org_id, user_id, role, joined_at) values ($1, $2, $3, 0)";
        let values = (org.as_uuid(), user.as_uuid(), role.as_str());
        let joined = self
            .client
            .execute(sql, &[&values.0, &values.1, &values.2])
            .await;
        assert_eq!(joined.unwrap(), 1);
    }

    /// Ends a membership.
    pub(super) async fn leave(&self, org: OrgId, user: UserId) {
        let sql = "delete from members where org_id = $1 and user_id = $2";
        let values = (org.as_uuid(), user.as_uuid());
        let left = self.client.execute(sql, &[&values.0, &values.1]).await;
        assert_eq!(left.unwrap(), 1);
    }

    async fn tables(&self, schema: &str) -> Vec<String> {
        let asked = "select tablename::text from pg_tables where schemaname = $1 order by 1";
        let rows = self.client.query(asked, &[&schema]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn read_keys(&mut self) {
        let asked = "select c.table_name::text, c.column_name::text, k.column_name is not null
            from information_schema.columns c
            left join information_schema.table_constraints t
                on t.table_schema = c.table_schema and t.table_name = c.table_name
               and t.constraint_type = 'PRIMARY KEY'
            left join information_schema.key_column_usage k
                on k.constraint_schema = t.constraint_schema
               and k.constraint_name = t.constraint_name and k.table_name = t.table_name
               and k.column_name = c.column_name
            where c.table_schema = $1";
        for row in self.client.query(asked, &[&STORE]).await.unwrap() {
            let table = self.tables.entry(row.get(0)).or_default();
            if row.get(2) {
                table.key.push(row.get(1));
            } else {
                table.others.push(row.get(1));
            }
        }
    }

    async fn ask_for_differences(&self) -> String {
        let mut asked = String::new();
        let counted = |table: &String| table != COUNTER;
        for table in self.tables(COPY).await.into_iter().filter(counted) {
            let (now, then) = (format!("{STORE}.{table}"), format!("{COPY}.{table}"));
            let union = if asked.is_empty() { "" } else { " union all " };
            write!(
                asked,
                "{union}select '{table}'::text, to_jsonb(d)::text from (
                     (table {now} except all table {then})
                     union all (table {then} except all table {now})) d"
            )
            .unwrap();
        }
        asked
    }

    async fn dump_of(&self, schema: &str) -> Dump {
        let mut dump = Dump::new();
        for table in self.tables(schema).await {
            let asked = format!("select to_jsonb(t)::text from {schema}.{table} t");
            let rows = self.client.query(&asked, &[]).await.unwrap();
            let rows = rows.iter().map(|row| read(row.get(0)));
            dump.insert(table, rows.collect());
        }
        dump
    }
}

impl Table {
    fn without_new_rows(&self, name: &str) -> String {
        if self.key.is_empty() {
            // Then nothing can refer to its rows.
            return format!("delete from {STORE}.{name};");
        }
        let same = |column: &String| format!("old.{column} = new.{column}");
        let same: Vec<_> = self.key.iter().map(same).collect();
        let same = same.join(" and ");
        format!(
            "delete from {STORE}.{name} new
             where not exists (select 1 from {COPY}.{name} old where {same});"
        )
    }

    fn with_old_rows(&self, name: &str) -> String {
        let set = |column: &String| format!("{column} = excluded.{column}");
        let set: Vec<_> = self.others.iter().map(set).collect();
        let conflict = match (self.key.join(", "), set.join(", ")) {
            (key, _) if key.is_empty() => String::new(),
            (key, set) if set.is_empty() => format!("on conflict ({key}) do nothing"),
            (key, set) => format!("on conflict ({key}) do update set {set}"),
        };
        format!(
            "insert into {STORE}.{name} overriding system value
             (table {COPY}.{name} except all table {STORE}.{name})
             {conflict};"
        )
    }
}

/// Columns as SQLite's file has them.
fn read(row: &str) -> Row {
    let Ok(Value::Object(columns)) = serde_json::from_str(row) else {
        panic!("a row is an object");
    };
    let text = |value| match value {
        Value::Null => None,
        // Bytes begin with `\\x` and ids have hyphens.
        Value::String(text) => Some(text.strip_prefix("\\x").unwrap_or(&text).to_owned()),
        other => Some(other.to_string()),
    };
    let columns = columns.into_iter();
    columns.map(|(name, value)| (name, text(value))).collect()
}
