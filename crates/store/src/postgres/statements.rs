//! Statements that are prepared once per connection.

use futures_util::future::{BoxFuture, join_all};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::Tx;
use super::error::is_aftermath;
use crate::Result;

/// Runs a statement; answers how many rows it changed.
pub(crate) async fn execute(tx: &Tx<'_>, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64> {
    let statement = tx.prepare_cached(sql).await?;
    Ok(tx.execute(&statement, values).await?)
}

/// The one number that a query answers with; counts are never negative.
pub(crate) async fn count(tx: &Tx<'_>, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64> {
    let statement = tx.prepare_cached(sql).await?;
    let number: i64 = tx.query_one(&statement, values).await?.try_get(0)?;
    Ok(number.unsigned_abs())
}

/// The row that a query finds; it finds one at most.
pub(crate) async fn find(
    tx: &Tx<'_>,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Option<Row>> {
    let statement = tx.prepare_cached(sql).await?;
    Ok(tx.query_opt(&statement, values).await?)
}

/// The rows that a query finds.
pub(crate) async fn list(
    tx: &Tx<'_>,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>> {
    let statement = tx.prepare_cached(sql).await?;
    Ok(tx.query(&statement, values).await?)
}

/// Runs statements that do not need each other without waiting in between. Where one fails, the
/// server refuses those that it reads afterwards: the error that is answered is the first one's.
pub(crate) async fn together(work: Vec<BoxFuture<'_, Result<()>>>) -> Result<()> {
    let mut refused = Ok(());
    for result in join_all(work).await {
        match result {
            Err(error) if is_aftermath(&error) => refused = Err(error),
            other => other?,
        }
    }
    refused
}
