//! Reading columns: an error names the table, the column and the row.

use std::fmt::Display;
use std::str::FromStr;

use copal_model::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use super::error::sentence;
use crate::{Error, Result};

/// One row, and what it is a row of.
pub(crate) struct Columns<'a> {
    table: &'static str,
    row: &'a Row,
}

impl<'a> Columns<'a> {
    /// A row of `table`; its first column is what errors name it by.
    pub(crate) const fn new(table: &'static str, row: &'a Row) -> Self {
        Self { table, row }
    }

    /// The column as PostgreSQL's own type.
    pub(crate) fn get<T: FromSql<'a>>(&self, column: &'static str) -> Result<T> {
        self.row
            .try_get(column)
            .map_err(|error| self.broken(column, &sentence(&error)))
    }

    /// A column that holds a count; counts are never negative.
    pub(crate) fn count(&self, column: &'static str) -> Result<u64> {
        self.read(column, |count: i64| u64::try_from(count))
    }

    /// A UUID.
    pub(crate) fn uuid(&self, column: &'static str) -> Result<Uuid> {
        self.get(column)
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
        let text: &str = self.get(column)?;
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
        S: FromSql<'a>,
        E: Display,
    {
        convert(self.get(column)?).map_err(|error| self.broken(column, &error))
    }

    fn broken(&self, column: &str, error: &dyn Display) -> Error {
        let first = |row: &Row| {
            let number = row.try_get::<_, i64>(0).map(|number| number.to_string());
            let uuid = || row.try_get::<_, Uuid>(0).map(|uuid| uuid.to_string());
            let text = |_| row.try_get::<_, String>(0);
            number.or_else(|_| uuid()).or_else(text)
        };
        let key = first(self.row).unwrap_or_else(|_| "?".to_owned());
        Error::Broken(format!("{}.{column} of row {key}: {error}", self.table).into())
    }
}
