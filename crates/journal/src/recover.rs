//! What opening a journal does about torn, damaged, missing, copied and foreign files.
//!
//! Only the last segment is read through: the others were synced whole before it was begun, and the
//! reader checks each record when it comes to it. The rules:
//!
//! - The last segment ends at its last intact record; bytes after it are a torn write that was
//!   never acknowledged, and are cut off. Damage before it is damage, and stays where it is.
//! - A segment that has another segment's header is given its name back, or put into quarantine if
//!   that one is there. A segment of another journal is put into quarantine.
//! - A segment without a usable header is read all the same: its name says where it begins.
//! - What the store has is deleted, and its sequences are never used again.
//! - A new segment is begun. What an earlier process could not sync counts as synced ever after,
//!   though it may not be: nothing may be built on it that is to be acknowledged.

use std::{collections::BTreeSet, io, ops::Range, path::Path, sync::Arc};

use crate::{
    Config, Error,
    fs::{File, Fs, read_full_at},
    quarantine::Quarantine,
    scan::{Found, Scan},
    segment::{self, HEADER_BYTES, HEADER_END, HeaderError, Seed, SegmentHeader},
    shared::{Segment, Shared, State},
};

/// What was found when the journal was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The last sequence that is, or was, in use.
    pub last_sequence: u64,
    /// Records that wait to be read.
    pub leftover_records: u64,
    /// Bytes of a write that was never acknowledged, cut off.
    pub torn_bytes: u64,
    /// Segments without a usable header. Their records are kept.
    pub damaged_headers: u64,
    /// Files put into quarantine: copies of a segment, and segments of another journal.
    pub foreign_segments: u64,
}

/// A segment file that was found.
struct Candidate {
    first: u64,
    bytes: u64,
    file: Arc<dyn File>,
}

/// Puts the folder in order; answers the file of a new segment, ready to be appended to.
pub(crate) fn recover(
    folder: &Path,
    fs: Arc<dyn Fs>,
    id: [u8; 16],
    config: Config,
    at_least: u64,
) -> Result<(Shared, Arc<dyn File>, Recovery), Error> {
    let quarantine = Quarantine::new(fs.clone(), folder);
    let mut recoverer = Recoverer {
        folder,
        fs: &*fs,
        id,
        quarantine,
        recovery: Recovery::default(),
    };
    let mut found = recoverer.find_segments()?;
    recoverer.delete_consumed(&mut found, at_least)?;
    let mut state = State {
        last: at_least,
        forgotten: at_least,
        ..State::default()
    };
    let file = recoverer.settle(&found, &mut state)?;
    let mut recovery = recoverer.recovery;
    recovery.last_sequence = state.last;
    recovery.leftover_records = state.last - state.forgotten;
    Ok((
        Shared::new(folder.to_owned(), fs, id, config, state),
        file,
        recovery,
    ))
}

struct Recoverer<'a> {
    folder: &'a Path,
    fs: &'a dyn Fs,
    id: [u8; 16],
    quarantine: Quarantine,
    recovery: Recovery,
}

impl Recoverer<'_> {
    /// The journal's segments in order, under their own names.
    fn find_segments(&mut self) -> Result<Vec<Candidate>, Error> {
        let files = self
            .fs
            .list(self.folder)
            .map_err(Error::io("listing", self.folder))?;
        let named: BTreeSet<_> = files
            .iter()
            .filter_map(|name| segment::first_of(name))
            .collect();
        let mut taken = named.clone();
        let mut found = Vec::new();
        for first in named {
            found.extend(self.examine(first, &mut taken)?);
        }
        found.sort_unstable_by_key(|candidate| candidate.first);
        Ok(found)
    }

    /// Opens a segment; `None` when it had to be put into quarantine.
    fn examine(
        &mut self,
        named: u64,
        taken: &mut BTreeSet<u64>,
    ) -> Result<Option<Candidate>, Error> {
        let path = self.folder.join(segment::file_name(named));
        let file = self
            .fs
            .open_to_write(&path)
            .map_err(Error::io("opening", &path))?;
        let mut bytes = [0; HEADER_BYTES];
        read_full_at(&*file, &mut bytes, 0).map_err(Error::io("reading", &path))?;
        let len = file.size().map_err(Error::io("reading", &path))?;
        let candidate = Candidate {
            first: named,
            bytes: len,
            file,
        };
        match SegmentHeader::decode(&bytes) {
            Err(HeaderError::Version(version)) => Err(Error::Version { path, version }),
            Err(HeaderError::Damaged) => {
                self.recovery.damaged_headers += 1;
                Ok(Some(candidate))
            }
            Ok(header) if header.journal == self.id && header.first == named => Ok(Some(candidate)),
            Ok(header) if header.journal == self.id && taken.insert(header.first) => {
                let own = self.folder.join(segment::file_name(header.first));
                self.fs
                    .rename(&path, &own)
                    .map_err(Error::io("renaming", &path))?;
                Ok(Some(Candidate {
                    first: header.first,
                    ..candidate
                }))
            }
            Ok(_) => {
                tracing::warn!(path = %path.display(), "a copy, or a segment of another journal");
                let name = format!("{}.foreign", segment::file_name(named));
                self.quarantine
                    .keep_file(&path, &name)
                    .map_err(Error::io("moving", &path))?;
                self.recovery.foreign_segments += 1;
                Ok(None)
            }
        }
    }

    /// Deletes the segments that hold nothing but what the store has. The last one stays for now.
    fn delete_consumed(&self, found: &mut Vec<Candidate>, at_least: u64) -> Result<(), Error> {
        let consumed = found
            .windows(2)
            .take_while(|pair| pair[1].first <= at_least + 1)
            .count();
        for candidate in found.drain(..consumed) {
            self.unlink(candidate.first)?;
        }
        Ok(())
    }

    fn unlink(&self, first: u64) -> Result<(), Error> {
        let path = self.folder.join(segment::file_name(first));
        self.fs.unlink(&path).map_err(Error::io("deleting", &path))
    }

    /// Finds where the log ends, and begins the segment to append to.
    fn settle(&mut self, found: &[Candidate], state: &mut State) -> Result<Arc<dyn File>, Error> {
        let mut segments: Vec<_> = found
            .windows(2)
            .map(|pair| Segment {
                first: pair[0].first,
                last: pair[1].first - 1,
                bytes: pair[0].bytes,
            })
            .collect();
        let mut useless = None;
        if let Some(last) = found.last() {
            let end = self.cut_torn_tail(last, state)?;
            if end.last < end.first || end.last <= state.last {
                useless = Some(end.first);
            } else {
                segments.push(end);
            }
            state.last = state.last.max(end.last);
        }
        let file = self.begin(segments, state)?;
        // Until the new segment is there, the old one tells where the log ends. Should its name
        // come back after a power cut, it is deleted again.
        if let Some(first) = useless.filter(|first| *first != state.active().first) {
            self.unlink(first)?;
        }
        Ok(file)
    }

    /// Begins a segment after all others.
    fn begin(&self, segments: Vec<Segment>, state: &mut State) -> Result<Arc<dyn File>, Error> {
        let first = state.last + 1;
        state.segments = segments;
        state.segments.push(Segment {
            first,
            last: state.last,
            bytes: HEADER_END,
        });
        let header = SegmentHeader {
            journal: self.id,
            first,
        };
        let path = self.folder.join(segment::file_name(first));
        segment::begin(self.fs, self.folder, header).map_err(Error::io("creating", path))
    }

    /// Reads the last segment through, and cuts off what follows its last intact record.
    fn cut_torn_tail(&mut self, last: &Candidate, state: &mut State) -> Result<Segment, Error> {
        let path = self.folder.join(segment::file_name(last.first));
        let reading = || Error::io("reading", &path);
        let mut scan = Scan::new(last.file.clone(), Seed::new(self.id), last.first);
        let mut end = Segment {
            first: last.first,
            last: last.first - 1,
            bytes: last.bytes,
        };
        loop {
            match scan.next(last.bytes).map_err(reading())? {
                Found::End => break,
                Found::Record { sequence, .. } => {
                    state.lose(end.last + 1, sequence - 1);
                    end.last = sequence;
                }
                Found::Damage(bytes) if bytes.end == last.bytes => end.bytes = bytes.start,
                Found::Damage(bytes) => self.quarantine.keep_bytes(&*last.file, last.first, bytes),
            }
        }
        let torn = end.bytes..last.bytes;
        if !torn.is_empty() {
            self.recovery.torn_bytes += torn.end - torn.start;
            if !is_zero(&*last.file, torn.clone()).map_err(reading())? {
                self.quarantine.keep_bytes(&*last.file, last.first, torn);
            }
            last.file
                .truncate(end.bytes)
                .map_err(Error::io("cutting", &path))?;
        }
        // What is read from now on counts as synced; after a kill it may not have been.
        last.file.sync_data().map_err(Error::io("syncing", &path))?;
        Ok(end)
    }
}

/// Whether there is nothing but zeros: what file systems leave where a write never arrived.
fn is_zero(file: &dyn File, bytes: Range<u64>) -> io::Result<bool> {
    let mut buffer = vec![0; 64 * 1024];
    let mut at = bytes.start;
    while at < bytes.end {
        let read = read_full_at(file, &mut buffer, at)?;
        if read == 0 || buffer[..read].iter().any(|byte| *byte != 0) {
            return Ok(read == 0);
        }
        at += read as u64;
    }
    Ok(true)
}
