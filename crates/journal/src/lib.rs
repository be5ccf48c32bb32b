//! The durable log between ingest and pipeline.
//!
//! Append-only segment files in one private folder. A record is acknowledged only after
//! `fdatasync`; many are synced together (group commit). The reader follows behind, and segments
//! are deleted once the store has committed past them. The journal knows nothing of events: a
//! record is bytes.
//!
//! # What it promises
//!
//! - An answer to [`Journal::append`] means: the record, and the name of the file it is in, have
//!   been synced. The journal gives it to a reader until [`Journal::forget`] covers it.
//! - After a failed write or sync nothing is acknowledged ever again by this process: the kernel
//!   may have thrown the data away and forgotten that it did. [`Journal::failed`] resolves, and the
//!   process is to end; the next start recovers. Only copies into `quarantine/` may fail.
//! - Damage is never silent and never spreads: damaged bytes go to `quarantine/`, the reader is
//!   told the exact sequences that are gone, and every later record is kept.
//! - Sequences are never used twice, not even when the folder is emptied (see [`Folder::open`]).
//!
//! It does not protect against the loss of the disk, nor against a disk that lies about flushing.
//!
//! # Layout
//!
//! - [`Folder`]: the private folder, its lock and its id; the way to a [`Journal`]
//! - [`Journal`]: append, forget, stats; handles to one writer thread
//! - [`Reader`]: follows the synced end of the log
//! - [`Inspector`]: looks at all of it and changes nothing
//! - `segment`: what a segment file looks like; `scan`: reading one, with or without damage
//! - `recover`: what opening does about torn, damaged, missing and foreign files
//! - `writer`: the only thread that writes
//! - [`fs`]: the file operations used, so that tests can let each of them fail

mod config;
mod error;
mod folder;
pub mod fs;
mod inspect;
mod journal;
mod quarantine;
mod reader;
mod recover;
mod scan;
mod segment;
mod shared;
mod writer;

pub use config::{
    BACKLOG_BYTES_DEFAULT, CONSUMED_BYTES_DEFAULT, Config, RECORD_BYTES_MAX, SEGMENT_BYTES_DEFAULT,
};
pub use error::{AppendError, Error};
pub use folder::Folder;
pub use inspect::{Inspection, Inspector, Problem};
pub use journal::{Condition, Journal, Stats};
pub use reader::{Entry, Reader};
pub use recover::Recovery;
