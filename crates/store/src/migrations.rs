//! The steps of the schema: one list, numbered and titled alike for all engines.

use crate::{Error, Result};

/// A step of the schema; its number is the version that the data has afterwards.
pub(crate) struct Migration {
    /// The number.
    pub(crate) version: u32,
    /// What it does, in the engine's dialect.
    pub(crate) sql: &'static str,
}

/// All steps of an engine, in order: `migrations!("sqlite")`.
macro_rules! migrations {
    ($engine:literal) => {
        migrations! { $engine,
            1 "0001_organizations",
            2 "0002_sessions",
            3 "0003_projects",
            4 "0004_issues",
            5 "0005_events",
            6 "0006_outcomes",
            7 "0007_mails",
            8 "0008_invitations",
            9 "0009_org_tokens",
            10 "0010_usage",
            11 "0011_lifecycle",
            12 "0012_audit",
            13 "0013_inbound",
            14 "0014_gates",
            15 "0015_second_factors",
            16 "0016_project_life",
        }
    };
    ($engine:literal, $($version:literal $title:literal,)+) => {
        &[$($crate::migrations::Migration {
            version: $version,
            sql: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/migrations/", $engine, "/", $title, ".sql"
            )),
        }),+]
    };
}
pub(crate) use migrations;

/// The steps that data of version `stored` has not seen; 0 is no data at all.
///
/// # Errors
/// [`NewerSchema`](Error::NewerSchema) when a later program has written it.
pub(crate) fn missing(all: &'static [Migration], stored: u32) -> Result<&'static [Migration]> {
    let known = all.last().map_or(0, |last| last.version);
    if stored > known {
        return Err(Error::NewerSchema { stored, known });
    }
    let seen = all.partition_point(|step| step.version <= stored);
    Ok(&all[seen..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &[Migration] = migrations!("sqlite");

    #[test]
    fn versions_ascend_without_a_gap() {
        let versions = STEPS.iter().map(|step| step.version);
        assert!(versions.eq(1..=u32::try_from(STEPS.len()).unwrap()));
    }

    #[test]
    fn only_what_was_not_seen_is_missing() {
        let latest = STEPS.len();
        for seen in [0, 1, latest - 1, latest] {
            let stored = u32::try_from(seen).unwrap();
            assert_eq!(missing(STEPS, stored).unwrap().len(), latest - seen);
        }
    }

    #[test]
    fn newer_data_is_refused() {
        let known = u32::try_from(STEPS.len()).unwrap();
        let refused = missing(STEPS, known + 1).err().expect("it is newer");
        assert!(matches!(refused, Error::NewerSchema { stored, known: k } if stored == k + 1));
    }
}
