//! What can go wrong when asking the store, by what the caller can do about it.

use std::io;

use copal_model::Plan;

/// Shorthand for results of the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store could not do it. Absence is not an error: `find_*` return `Option`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It would break a rule, such as a unique name; the caller can ask for another.
    #[error("{what} is taken or in the way")]
    Conflict {
        /// The field or rule, such as `email`, `slug` or `last_owner`.
        what: &'static str,
    },
    /// A limit of the data model is reached.
    #[error("at most {limit} {what}")]
    LimitReached {
        /// What there would be too many of.
        what: &'static str,
        /// How many there may be.
        limit: u32,
    },
    /// The plan of the organization allows no more.
    #[error("the plan {plan} allows {limit} {what}")]
    PlanLimit {
        /// What there would be too many of.
        what: &'static str,
        /// The plan.
        plan: Plan,
        /// How many it allows.
        limit: u32,
    },
    /// The thing to change is not there (or is another tenant's, which is the same).
    #[error("{what} not found")]
    NotFound {
        /// The noun.
        what: &'static str,
    },
    /// The cursor is none that a page of this list gave.
    #[error("the cursor is none that a page of this list gave")]
    BadCursor,
    /// The store cannot answer now; a later try may succeed.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// A write or fsync failed: nothing after it can be trusted (exit code 3).
    #[error("the store's disk failed: {0}")]
    Disk(#[source] io::Error),
    /// A later program has written the data; this one must not touch it.
    #[error(
        "the data was written by a newer Copal (schema {stored}, this one knows {known}): \
         run that version, or restore a backup made before the upgrade"
    )]
    NewerSchema {
        /// Version of the stored schema.
        stored: u32,
        /// The latest version that this program knows.
        known: u32,
    },
    /// The stored data or the engine is broken.
    #[error("the store is broken: {0}")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// What a failed write to a file comes to. A full disk refuses it without harm; it never
    /// excuses a failed sync.
    pub(crate) fn of_write(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Unavailable("the disk is full".to_owned())
            }
            _ => Self::Disk(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_no_failed_one() {
        assert!(matches!(
            Error::of_write(io::ErrorKind::StorageFull.into()),
            Error::Unavailable(_)
        ));
        assert!(matches!(
            Error::of_write(io::ErrorKind::FileTooLarge.into()),
            Error::Disk(_)
        ));
    }
}
