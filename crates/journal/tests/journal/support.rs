//! What the tests share.

use std::{path::Path, sync::Arc};

use copal_journal::{
    Config, Entry, Error, Folder, Journal, Reader, Recovery,
    fs::{Fs, RealFs},
};

/// A small generator, so that a seed says everything.
pub(crate) fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Segments so small that a few records fill one.
pub(crate) fn small() -> Config {
    Config {
        segment_bytes: 1024,
        consumed_bytes_max: 256,
        ..Config::default()
    }
}

/// Opens a journal whose id, should it need one, is all sevens.
pub(crate) fn open_on(
    fs: Arc<dyn Fs>,
    folder: &Path,
    config: Config,
    at_least: u64,
) -> Result<(Journal, Recovery), Error> {
    Folder::claim(folder, fs, &mut |id| id.fill(7))?.open(config, at_least)
}

pub(crate) fn open(folder: &Path, config: Config, at_least: u64) -> (Journal, Recovery) {
    open_on(Arc::new(RealFs), folder, config, at_least).expect("opens")
}

/// Reads until `last`.
pub(crate) async fn read_to(reader: &mut Reader, last: u64) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    while entries.last().is_none_or(|entry| entry.sequence() < last) {
        let more = reader.next(3, 4096).await.expect("reads");
        assert!(!more.is_empty(), "the log ended before {last}: {entries:?}");
        entries.extend(more);
    }
    entries
}

/// Everything after a position, once the journal is closed.
pub(crate) async fn drain(reader: &mut Reader) -> Vec<Entry> {
    let mut entries = Vec::new();
    loop {
        let more = reader.next(100, 1 << 20).await.expect("reads");
        if more.is_empty() {
            return entries;
        }
        entries.extend(more);
    }
}

pub(crate) fn record(sequence: u64, record: &[u8]) -> Entry {
    Entry::Record {
        sequence,
        record: record.to_vec(),
    }
}
