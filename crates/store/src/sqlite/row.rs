//! Reading columns: an error names the table, the column and the row.

use std::fmt::Display;
use std::str::FromStr;

use copal_model::Timestamp;
use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};
use uuid::Uuid;

use crate::{Error, Result};

/// One row, and what it is a row of.
pub(crate) struct Columns<'a> {
    table: &'static str,
    row: &'a Row<'a>,
}

impl<'a> Columns<'a> {
    /// A row of `table`; its first column is what errors name it by.
    pub(crate) const fn new(table: &'static str, row: &'a Row<'a>) -> Self {
        Self { table, row }
    }

    /// The column as SQLite's own type.
    pub(crate) fn get<T: FromSql>(&self, column: &'static str) -> Result<T> {
        self.row
            .get(column)
            .map_err(|error| self.broken(column, &error))
    }

    /// A column that holds a count; counts are never negative.
    pub(crate) fn count(&self, column: &'static str) -> Result<u64> {
        self.read(column, |count: i64| u64::try_from(count))
    }

    /// A UUID of 16 bytes.
    pub(crate) fn uuid(&self, column: &'static str) -> Result<Uuid> {
        self.get::<[u8; 16]>(column).map(Uuid::from_bytes)
    }

    /// Microseconds since 1970.
    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp> {
        self.read(column, Timestamp::from_microsecond)
    }

    /// Microseconds since 1970, or null.
    pub(crate) fn optional_time(&self, column: &'static str) -> Result<Option<Timestamp>> {
        match self.get::<Option<i64>>(column)? {
            Some(_) => self.time(column).map(Some),
            None => Ok(None),
        }
    }

    /// A text that one of our types reads.
    pub(crate) fn parse<T>(&self, column: &'static str) -> Result<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let text: String = self.get(column)?;
        text.parse()
            .map_err(|error: T::Err| self.broken(column, &error))
    }

    /// The same, or null.
    pub(crate) fn optional<T>(&self, column: &'static str) -> Result<Option<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        match self.get::<Option<String>>(column)? {
            Some(_) => self.parse(column).map(Some),
            None => Ok(None),
        }
    }

    /// A column that `convert` turns into one of our types.
    pub(crate) fn read<S, T, E>(
        &self,
        column: &'static str,
        convert: impl FnOnce(S) -> std::result::Result<T, E>,
    ) -> Result<T>
    where
        S: FromSql,
        E: Display,
    {
        convert(self.get(column)?).map_err(|error| self.broken(column, &error))
    }

    fn broken(&self, column: &str, error: &dyn Display) -> Error {
        let key = match self.row.get_ref(0) {
            Ok(ValueRef::Integer(number)) => number.to_string(),
            Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            Ok(ValueRef::Blob(bytes)) if bytes.len() == 16 => Uuid::from_slice(bytes)
                .map_or_else(|_| String::new(), |uuid| uuid.hyphenated().to_string()),
            _ => "?".to_owned(),
        };
        Error::Broken(format!("{}.{column} of row {key}: {error}", self.table).into())
    }
}

#[cfg(test)]
mod tests {
    use copal_model::Role;
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn an_error_names_table_column_and_row() {
        let connection = Connection::open_in_memory().unwrap();
        let error = connection
            .query_row_and_then("select 7 as id, 'KING' as role", (), |row| {
                Columns::new("members", row).parse::<Role>("role")
            })
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the store is broken: members.role of row 7: a role is OWNER, ADMIN, MEMBER or VIEWER"
        );
    }
}
