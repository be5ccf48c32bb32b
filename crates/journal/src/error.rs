//! What can go wrong, by what the caller can do about it.

use std::{io, path::PathBuf};

/// Opening or reading a journal failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the folder.
    #[error("the journal folder {} is in use by another running server", .folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// A newer version of this program wrote the journal.
    #[error("{} has journal format {version}, which this version cannot read", .path.display())]
    Version {
        /// The segment file.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
    /// A file operation failed.
    #[error("{action} {}", .path.display())]
    Io {
        /// What was being tried, such as `reading`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: says what was being tried, and on what.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

/// A record was not appended. In no case has it been acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The backlog has reached its limit, or the disk is full: try again later.
    #[error("the journal is full")]
    Full,
    /// The record is larger than [`crate::RECORD_BYTES_MAX`]: never try again.
    #[error("the record is too large for the journal")]
    TooLarge,
    /// A write or sync has failed, now or before. The process must end; the record may or may not
    /// be found when the journal is next opened.
    #[error("the journal has failed")]
    Failed,
    /// The journal has been closed.
    #[error("the journal is closed")]
    Closed,
}
