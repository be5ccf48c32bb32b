//! Keeps what cannot be used, for people to look at: nothing is destroyed because it is damaged.
//!
//! Best effort: the journal goes on when a copy cannot be made.

use std::{
    io::{self, IoSlice},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    config::QUARANTINE_BYTES_MAX,
    fs::{File, Fs, read_full_at, write_full_at},
};

/// Copied at once, in bytes.
const COPY_BYTES: u64 = 1024 * 1024;

/// The folder of damaged bytes inside the journal's folder.
#[derive(Clone)]
pub(crate) struct Quarantine {
    fs: Arc<dyn Fs>,
    folder: PathBuf,
}

impl Quarantine {
    pub(crate) const FOLDER: &str = "quarantine";

    pub(crate) fn new(fs: Arc<dyn Fs>, journal: &Path) -> Self {
        Self {
            fs,
            folder: journal.join(Self::FOLDER),
        }
    }

    /// Copies damaged bytes of a segment, unless they have been copied before.
    pub(crate) fn keep_bytes(&self, file: &dyn File, first: u64, bytes: Range<u64>) {
        let name = format!("{first:020}-{}.damaged", bytes.start);
        match self.copy(file, &name, bytes.clone()) {
            Ok(copied) => tracing::error!(
                journal.segment = first,
                journal.offset = bytes.start,
                journal.bytes = bytes.end - bytes.start,
                journal.copied = copied,
                "damaged bytes in the journal; the records after them are kept"
            ),
            Err(error) => tracing::error!(%error, name, "cannot copy damaged journal bytes"),
        }
    }

    /// Moves a whole file here.
    pub(crate) fn keep_file(&self, path: &Path, name: &str) -> io::Result<()> {
        self.fs.create_folder(&self.folder)?;
        self.fs.rename(path, &self.folder.join(name))?;
        self.fs.sync_folder(&self.folder)
    }

    fn copy(&self, file: &dyn File, name: &str, bytes: Range<u64>) -> io::Result<u64> {
        self.fs.create_folder(&self.folder)?;
        let names = self.fs.list(&self.folder)?;
        if names.iter().any(|known| known == name) {
            return Ok(0);
        }
        let room = QUARANTINE_BYTES_MAX.saturating_sub(self.size(&names)?);
        let end = bytes.end.min(bytes.start + room);
        let copy = self.fs.create(&self.folder.join(name))?;
        let mut buffer = Vec::new();
        let mut at = bytes.start;
        while at < end {
            let count = usize::try_from((end - at).min(COPY_BYTES)).expect("COPY_BYTES at most");
            buffer.resize(count, 0);
            let read = read_full_at(file, &mut buffer, at)?;
            if read == 0 {
                break;
            }
            write_full_at(
                &*copy,
                &mut [IoSlice::new(&buffer[..read])],
                at - bytes.start,
            )?;
            at += read as u64;
        }
        copy.sync_data()?;
        self.fs.sync_folder(&self.folder)?;
        Ok(at - bytes.start)
    }

    fn size(&self, names: &[String]) -> io::Result<u64> {
        names.iter().try_fold(0, |sum, name| {
            Ok(sum + self.fs.open(&self.folder.join(name))?.size()?)
        })
    }
}
