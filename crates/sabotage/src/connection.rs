//! SQLite connections whose statements can be broken.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use rusqlite::{CachedStatement, OpenFlags, Params, Result, Row, Statement, TransactionBehavior};

use crate::mutants::{self, Mutant};
use crate::statements::{self, Condition};

/// A connection of `rusqlite` in which statements are broken on their way in.
pub struct Connection(rusqlite::Connection);

/// The same within a transaction.
pub struct Transaction<'a> {
    transaction: rusqlite::Transaction<'a>,
    connection: &'a Connection,
}

impl Connection {
    /// Opens a file.
    ///
    /// # Errors
    /// Those of `rusqlite`, as with all that follow.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self(rusqlite::Connection::open(path)?))
    }

    /// Opens a file in a way of one's own.
    ///
    /// # Errors
    /// Those of `rusqlite`.
    pub fn open_with_flags(path: impl AsRef<Path>, flags: OpenFlags) -> Result<Self> {
        let connection = rusqlite::Connection::open_with_flags(path, flags)?;
        Ok(Self(connection))
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// Those of `rusqlite`.
    pub fn transaction_with_behavior(
        &mut self,
        behavior: TransactionBehavior,
    ) -> Result<Transaction<'_>> {
        let connection = &*self;
        let transaction = rusqlite::Transaction::new_unchecked(&connection.0, behavior)?;
        Ok(Transaction {
            transaction,
            connection,
        })
    }

    /// Prepares a statement.
    ///
    /// # Errors
    /// Those of `rusqlite`.
    #[track_caller]
    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        self.0.prepare(&self.broken(sql, Location::caller()))
    }

    /// Prepares a statement, or takes the one that is prepared.
    ///
    /// # Errors
    /// Those of `rusqlite`.
    #[track_caller]
    pub fn prepare_cached(&self, sql: &str) -> Result<CachedStatement<'_>> {
        self.0.prepare_cached(&self.broken(sql, Location::caller()))
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// Those of `rusqlite`.
    #[track_caller]
    pub fn execute<P: Params>(&self, sql: &str, params: P) -> Result<usize> {
        self.0
            .execute(&self.broken(sql, Location::caller()), params)
    }

    /// The one row of a query.
    ///
    /// # Errors
    /// Those of `rusqlite`.
    #[track_caller]
    pub fn query_one<T, P, F>(&self, sql: &str, params: P, read: F) -> Result<T>
    where
        P: Params,
        F: FnOnce(&Row<'_>) -> Result<T>,
    {
        let sql = self.broken(sql, Location::caller());
        self.0.query_one(&sql, params, read)
    }

    /// The statement, with one condition less where that is what is broken now.
    fn broken(&self, sql: &str, caller: &Location<'_>) -> String {
        let file = file_of(caller.file());
        for condition in self.protections(sql) {
            let mutant = Mutant::Condition {
                file: file.clone(),
                statement: statements::name(sql),
                condition: condition.text.clone(),
                number: condition.number,
            };
            if mutants::pass_by(mutant) {
                return statements::without(sql, &condition);
            }
        }
        sql.to_owned()
    }

    /// The protections of a statement that can be taken away.
    fn protections(&self, sql: &str) -> Vec<Condition> {
        static KNOWN: LazyLock<Mutex<HashMap<String, Vec<Condition>>>> =
            LazyLock::new(Mutex::default);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(sql) {
            return found.clone();
        }
        let found = statements::protections(sql);
        for condition in &found {
            let less = statements::without(sql, condition);
            if let Err(error) = self.0.prepare(&less) {
                panic!("the mutant is no statement: {error}: {less}");
            }
        }
        known.insert(sql.to_owned(), found.clone());
        found
    }
}

impl Deref for Connection {
    type Target = rusqlite::Connection;

    fn deref(&self) -> &rusqlite::Connection {
        &self.0
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut rusqlite::Connection {
        &mut self.0
    }
}

impl Transaction<'_> {
    /// Commits.
    ///
    /// # Errors
    /// Those of `rusqlite`.
    pub fn commit(self) -> Result<()> {
        self.transaction.commit()
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// The part of a path that says which file it is.
fn file_of(path: &str) -> String {
    let (_, file) = path.rsplit_once("/src/").unwrap_or(("", path));
    file.to_owned()
}
