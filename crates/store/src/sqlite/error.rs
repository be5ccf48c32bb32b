//! What SQLite reports, as what the caller can do about it.

use std::io;

use rusqlite::{ErrorCode, ffi};

use crate::Error;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, message) = &error else {
            return Self::Broken(Box::new(error));
        };
        match failure.code {
            ErrorCode::ConstraintViolation => Self::Conflict {
                what: constraint(
                    failure.extended_code,
                    message.as_deref().unwrap_or_default(),
                ),
            },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                Self::Unavailable("another process is writing".to_owned())
            }
            // SQLite undoes the transaction: nothing is lost, and there may be room again.
            ErrorCode::DiskFull => Self::Unavailable("the disk is full".to_owned()),
            ErrorCode::SystemIoFailure => Self::Disk(io::Error::other(error)),
            ErrorCode::CannotOpen | ErrorCode::OutOfMemory => Self::Unavailable(error.to_string()),
            _ => Self::Broken(Box::new(error)),
        }
    }
}

/// The rule that was broken: the last column of a unique key (its leading columns are the
/// tenant's), as SQLite names it in `UNIQUE constraint failed: projects.org_id, projects.slug`.
fn constraint(extended_code: i32, message: &str) -> &'static str {
    if extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY {
        return "reference";
    }
    let column = message.rsplit('.').next().unwrap_or_default();
    ["email", "slug", "public_key", "name", "id"]
        .into_iter()
        .find(|known| *known == column)
        .unwrap_or("constraint")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: i32, message: &str) -> Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(message.to_owned())).into()
    }

    #[test]
    fn failures_become_what_the_caller_can_do() {
        assert!(matches!(
            failure(ffi::SQLITE_BUSY, ""),
            Error::Unavailable(_)
        ));
        assert!(matches!(
            failure(ffi::SQLITE_IOERR_FSYNC, ""),
            Error::Disk(_)
        ));
        assert!(matches!(failure(ffi::SQLITE_CORRUPT, ""), Error::Broken(_)));
        assert!(matches!(
            failure(ffi::SQLITE_FULL, ""),
            Error::Unavailable(_)
        ));
    }

    #[test]
    fn a_conflict_names_the_last_column() {
        let code = ffi::SQLITE_CONSTRAINT_UNIQUE;
        let what = |message| match failure(code, message) {
            Error::Conflict { what } => what,
            other => panic!("{other}"),
        };
        assert_eq!(what("UNIQUE constraint failed: users.email"), "email");
        assert_eq!(
            what("UNIQUE constraint failed: projects.org_id, projects.slug"),
            "slug"
        );
        assert_eq!(what("CHECK constraint failed: role"), "constraint");
    }
}
