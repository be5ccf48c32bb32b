//! What durability rests on: settings of a server that somebody else looks after.

use super::{Tx, list};
use crate::upkeep::{Guarantee, Stake};
use crate::{Error, Result};

/// The oldest version whose behaviour is tested, as `server_version_num` writes it.
const POSTGRES_VERSION_MIN: i32 = 150_000;

/// What the server says of itself. What it does not know is `None`: services that speak the
/// protocol lack some settings, and see to what these are about by other means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    fsync: Option<String>,
    full_page_writes: Option<String>,
    data_sync_retry: Option<String>,
    /// On this connection.
    synchronous_commit: Option<String>,
    /// Of everybody who does not set it.
    default_synchronous_commit: Option<String>,
    default_read_only: Option<String>,
    is_standby: bool,
}

/// Why a server cannot be used at all.
pub(super) fn refusal(version_number: i32, version: &str, encoding: &str) -> Option<String> {
    if version_number < POSTGRES_VERSION_MIN {
        let needed = POSTGRES_VERSION_MIN / 10_000;
        return Some(format!(
            "PostgreSQL {version} is too old: upgrade the server to {needed} or later"
        ));
    }
    (encoding != "UTF8").then(|| {
        format!(
            "the database's encoding is {encoding}: create one with encoding 'UTF8' template \
             template0"
        )
    })
}

/// Asks the server.
pub(super) async fn ask(tx: &Tx<'_>) -> Result<Settings> {
    let mut settings = Settings::default();
    let rows = list(
        tx,
        "select name, setting, reset_val
         from pg_settings
         where name in ('fsync', 'full_page_writes', 'data_sync_retry', 'synchronous_commit',
             'default_transaction_read_only')",
        &[],
    )
    .await?;
    for row in rows {
        let (name, setting): (&str, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        match name {
            "fsync" => settings.fsync = setting,
            "full_page_writes" => settings.full_page_writes = setting,
            "data_sync_retry" => settings.data_sync_retry = setting,
            "default_transaction_read_only" => settings.default_read_only = setting,
            _ => {
                settings.synchronous_commit = setting;
                settings.default_synchronous_commit = row.try_get(2)?;
            }
        }
    }
    let standby = list(tx, "select pg_is_in_recovery()", &[]).await?;
    let standby = standby.first().map(|row| row.try_get(0));
    settings.is_standby = standby
        .transpose()
        .map_err(Error::from)?
        .unwrap_or_default();
    Ok(settings)
}

impl Settings {
    /// What the server promises, and what it does not.
    pub(super) fn judge(&self) -> Vec<Guarantee> {
        let is = |setting: &Option<String>, bad: &str| setting.as_deref() == Some(bad);
        let guarantee = |promise, stake, is_broken: bool, why: &str| Guarantee {
            promise,
            stake,
            broken: is_broken.then(|| why.to_owned()),
        };
        vec![
            guarantee(
                "the server waits for its disk",
                Stake::Acknowledged,
                is(&self.fsync, "off"),
                "fsync is off, and a crash of the server's machine can destroy the database: set \
                 fsync = on in postgresql.conf and reload",
            ),
            guarantee(
                "a commit is on disk before it is answered",
                Stake::Acknowledged,
                is(&self.synchronous_commit, "off"),
                "synchronous_commit is off for Copal, and a crash loses what was acknowledged: \
                 let nothing between Copal and the server change it",
            ),
            guarantee(
                "that holds for everybody who uses the server",
                Stake::Care,
                is(&self.default_synchronous_commit, "off"),
                "synchronous_commit is off by default, which Copal overrides for itself only: set \
                 synchronous_commit = on in postgresql.conf, and for the role and the database",
            ),
            guarantee(
                "a page that was half written is mended after a crash",
                Stake::Acknowledged,
                is(&self.full_page_writes, "off"),
                "full_page_writes is off, and a crash can damage what was acknowledged: set \
                 full_page_writes = on in postgresql.conf and reload",
            ),
            guarantee(
                "the server stops when its disk fails",
                Stake::Acknowledged,
                is(&self.data_sync_retry, "on"),
                "data_sync_retry is on, and a write that failed may be taken for done: set \
                 data_sync_retry = off in postgresql.conf and restart",
            ),
            guarantee(
                "the database can be written",
                Stake::Care,
                self.is_standby || is(&self.default_read_only, "on"),
                if self.is_standby {
                    "the server is a standby: name the primary in the address"
                } else {
                    "default_transaction_read_only is on: see why the server does not want writes, \
                     then set it to off"
                },
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_old_a_server_and_another_encoding_are_refused_in_one_sentence() {
        assert_eq!(refusal(150_000, "15.0", "UTF8"), None);
        for (number, version, encoding, named) in [
            (140_012, "14.12", "UTF8", "PostgreSQL 14.12 is too old"),
            (180_000, "18.0", "SQL_ASCII", "encoding is SQL_ASCII"),
        ] {
            let refusal = refusal(number, version, encoding).unwrap();
            assert!(refusal.contains(named), "{refusal}");
            assert!(!refusal.contains('\n'), "{refusal}");
        }
    }

    #[test]
    fn a_service_that_lacks_settings_breaks_no_promise() {
        let judged = Settings::default().judge();
        assert!(judged.iter().all(|guarantee| guarantee.broken.is_none()));
    }
}
