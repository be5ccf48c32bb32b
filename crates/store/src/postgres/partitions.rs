//! Tables of stored events, one per day received and retention class.
//!
//! Each is a partition of `events`. Whoever knows which one is meant names it: the statement then
//! touches no other.

use tokio_postgres::Row;

use super::{Columns, Tx, execute, find, list};
use crate::Result;
pub(super) use crate::partition::{Partition, table};
use crate::record::assign::Class;

/// All partitions whose day lies in `first..=last`, newest first.
pub(super) async fn between(tx: &Tx<'_>, first: i64, last: i64) -> Result<Vec<Partition>> {
    let rows = list(
        tx,
        "select id, day
         from partitions
         where day between $1 and $2
         order by day desc, id desc",
        &[&first, &last],
    )
    .await?;
    rows.iter().map(read_partition).collect()
}

/// Those of some days.
pub(super) async fn of_days(tx: &Tx<'_>, days: &[i64]) -> Result<Vec<Partition>> {
    let rows = list(
        tx,
        "select id, day
         from partitions
         where day = any($1)
         order by day desc, id desc",
        &[&days],
    )
    .await?;
    rows.iter().map(read_partition).collect()
}

/// The partition in a row with the columns `id` and `day`.
pub(super) fn read_partition(row: &Row) -> Result<Partition> {
    let columns = Columns::new("partitions", row);
    Ok(Partition {
        id: columns.get("id")?,
        day: columns.get("day")?,
    })
}

/// The partition of a day and retention class, made where it does not exist.
pub(super) async fn ensure(tx: &Tx<'_>, class: Class) -> Result<i64> {
    if let Some(id) = find_id(tx, class).await? {
        return Ok(id);
    }
    let (day, retention_days) = class;
    let made = execute(
        tx,
        "insert into partitions (day, retention_days)
         values ($1, $2)
         on conflict do nothing",
        &[&day, &i64::from(retention_days)],
    )
    .await?;
    let id = find_id(tx, class).await?;
    let id = id.ok_or_else(|| crate::Error::Broken("a partition that is not there".into()))?;
    // Nobody else has it yet, if it is ours. To attach a table, unlike making it as a partition,
    // lets others read and write theirs.
    if made == 1 {
        let table = table(id);
        tx.batch_execute(&format!(
            "create table {table} (like events including all);
             alter table events attach partition {table} for values in ({id})"
        ))
        .await?;
    }
    Ok(id)
}

async fn find_id(tx: &Tx<'_>, (day, retention_days): Class) -> Result<Option<i64>> {
    let row = find(
        tx,
        "select id
         from partitions
         where day = $1
           and retention_days = $2",
        &[&day, &i64::from(retention_days)],
    )
    .await?;
    row.map(|row| Columns::new("partitions", &row).get("id"))
        .transpose()
}

/// The partitions that hold events of issues whose ids are in a range, in their order.
pub(super) async fn of_issues(tx: &Tx<'_>, first: i64, last: i64) -> Result<Vec<i64>> {
    let rows = list(
        tx,
        "select distinct i.partition_id
         from issue_partitions i
         join partitions p on p.id = i.partition_id
         where i.issue_id between $1 and $2
         order by i.partition_id",
        &[&first, &last],
    )
    .await?;
    rows.iter()
        .map(|row| Columns::new("issue_partitions", row).get("partition_id"))
        .collect()
}
