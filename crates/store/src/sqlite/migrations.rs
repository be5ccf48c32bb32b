//! Brings the schema up to date: forward only, once, whoever starts first.

use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest, Sha256};

use crate::Result;
use crate::migrations::{Migration, migrations, missing};

/// All steps, in order.
const MIGRATIONS: &[Migration] = migrations!("sqlite");

/// Applies what is missing, in one transaction: two programs that start at once do it once.
///
/// # Errors
/// [`NewerSchema`](crate::Error::NewerSchema) when a later program has written the file.
pub(super) fn apply(connection: &mut Connection) -> Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let stored: u32 = tx.query_one("pragma user_version", (), |row| row.get(0))?;
    let missing = missing(MIGRATIONS, stored)?;
    let Some(last) = missing.last() else {
        return Ok(());
    };
    for migration in missing {
        tx.execute_batch(migration.sql)?;
    }
    tx.pragma_update(None, "user_version", last.version)?;
    let digest = schema_digest(&tx)?;
    tx.execute(
        "insert into meta (key, value)
         values ('schema', ?1)
         on conflict (key) do update set value = excluded.value",
        (digest,),
    )?;
    tx.commit()?;
    Ok(())
}

/// SHA-256 over all definitions but those of partitions, which come and go.
pub(super) fn schema_digest(tx: &Connection) -> Result<String> {
    let mut statement = tx.prepare_cached(
        "select sql
         from sqlite_schema
         where sql is not null
           and tbl_name not glob 'events_p[0-9]*'
           and tbl_name not glob 'sqlite_*'
         order by type, name",
    )?;
    let mut digest = Sha256::new();
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        digest.update(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?);
        digest.update([0]);
    }
    Ok(crate::hex::encode(&digest.finalize()))
}

/// What the file says its schema is: the digest written when it was last migrated.
pub(super) fn stored_digest(tx: &Connection) -> Result<Option<String>> {
    Ok(rusqlite::OptionalExtension::optional(tx.query_one(
        "select value
         from meta
         where key = 'schema'",
        (),
        |row| row.get(0),
    ))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_program_refuses_a_newer_file_in_one_sentence() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .pragma_update(None, "user_version", 9_999)
            .unwrap();
        let refusal = apply(&mut connection).unwrap_err().to_string();
        assert!(refusal.contains("written by a newer Copal"), "{refusal}");
        assert!(!refusal.contains('\n'));
    }

    #[test]
    fn two_programs_may_start_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copal.db");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut connection = Connection::open(&path).unwrap();
                    connection
                        .busy_timeout(std::time::Duration::from_secs(10))
                        .unwrap();
                    apply(&mut connection).unwrap();
                });
            }
        });
        let mut connection = Connection::open(&path).unwrap();
        let tx = connection.transaction().unwrap();
        let digest = schema_digest(&tx).unwrap();
        assert_eq!(stored_digest(&tx).unwrap(), Some(digest));
    }
}
