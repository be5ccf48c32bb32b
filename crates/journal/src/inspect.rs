//! Looks through a journal's files without changing or locking anything, also while a server
//! writes them.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Error,
    folder::{id_of_segments, read_id},
    fs::{File, Fs, read_full_at},
    scan::{Found, Scan},
    segment::{self, HEADER_BYTES, HeaderError, Seed, SegmentHeader},
};

/// A journal's folder, to look at.
pub struct Inspector {
    folder: PathBuf,
    fs: Arc<dyn Fs>,
    id: [u8; 16],
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Records that wait for the store.
    pub waiting_records: u64,
    /// What should not be.
    pub problems: Vec<Problem>,
}

/// What should not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Records that the store does not have are damaged or missing.
    Gap {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// The header of the segment that begins with this sequence is damaged; its records are read.
    DamagedHeader(u64),
    /// The file with the name of this segment is a copy, or is of another journal.
    Foreign(u64),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { from, to } => {
                write!(f, "journal records {from} to {to} are damaged or missing")
            }
            Self::DamagedHeader(first) => {
                write!(f, "journal segment {first} has a damaged header")
            }
            Self::Foreign(first) => {
                write!(
                    f,
                    "journal segment {first} is a copy, or of another journal"
                )
            }
        }
    }
}

impl Inspector {
    /// Looks which journal is in a folder; `None` when none is.
    pub fn open(folder: &Path, fs: Arc<dyn Fs>) -> Result<Option<Self>, Error> {
        let id = match read_id(&*fs, folder)? {
            Some(id) => Some(id),
            None => match id_of_segments(&*fs, folder) {
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
                id => id?,
            },
        };
        Ok(id.map(|id| Self {
            folder: folder.to_owned(),
            fs,
            id,
        }))
    }

    /// The journal's own random id, by which the store knows it.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Reads everything after the position that the store has, which must have been asked before.
    ///
    /// Should a server run, it may have come further and deleted what was recorded: problems count
    /// only while the store still has the same position.
    pub fn inspect(&self, recorded: u64) -> Result<Inspection, Error> {
        let names = self
            .fs
            .list(&self.folder)
            .map_err(Error::io("listing", &self.folder))?;
        let mut firsts: Vec<_> = names
            .iter()
            .filter_map(|name| segment::first_of(name))
            .collect();
        firsts.sort_unstable();
        let mut look = Look {
            next: recorded + 1,
            found: Inspection::default(),
        };
        let mut segments = Vec::new();
        for first in firsts {
            let file = self.open_segment(first, &mut look.found.problems)?;
            segments.extend(file.map(|file| (first, file)));
        }
        for (index, (first, file)) in segments.iter().enumerate() {
            let following = segments.get(index + 1).map(|(first, _)| *first);
            if following.is_none_or(|following| following > look.next) {
                look.pass(*first);
                self.read(*first, file, &mut look)?;
                look.pass(following.unwrap_or(0));
            }
        }
        Ok(look.found)
    }

    /// Opens a segment; `None` when it is none of this journal's, or was deleted meanwhile.
    fn open_segment(
        &self,
        first: u64,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<Arc<dyn File>>, Error> {
        let path = self.path(first);
        let file = match self.fs.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(Error::io("opening", &path))?,
        };
        let mut bytes = [0; HEADER_BYTES];
        read_full_at(&*file, &mut bytes, 0).map_err(Error::io("reading", &path))?;
        match SegmentHeader::decode(&bytes) {
            Ok(header) if header.journal == self.id && header.first == first => {}
            Ok(_) => {
                problems.push(Problem::Foreign(first));
                return Ok(None);
            }
            Err(HeaderError::Damaged) => problems.push(Problem::DamagedHeader(first)),
            Err(HeaderError::Version(version)) => return Err(Error::Version { path, version }),
        }
        Ok(Some(file))
    }

    fn read(&self, first: u64, file: &Arc<dyn File>, look: &mut Look) -> Result<(), Error> {
        let path = self.path(first);
        let end = file.size().map_err(Error::io("reading", &path))?;
        let mut scan = Scan::new(file.clone(), Seed::new(self.id), first);
        loop {
            match scan.next(end).map_err(Error::io("reading", &path))? {
                Found::Record { sequence, .. } => look.meet(sequence),
                // The sequences tell what is gone. At the very end it is a write under way.
                Found::Damage(_) => {}
                Found::End => return Ok(()),
            }
        }
    }

    fn path(&self, first: u64) -> PathBuf {
        self.folder.join(segment::file_name(first))
    }
}

/// How far a look has come.
struct Look {
    /// The sequence that must come next.
    next: u64,
    found: Inspection,
}

impl Look {
    /// Takes note of a record.
    fn meet(&mut self, sequence: u64) {
        if sequence >= self.next {
            self.pass(sequence);
            self.found.waiting_records += 1;
            self.next = sequence + 1;
        }
    }

    /// Goes on at a sequence, if it is ahead: what has not been met up to there is gone.
    fn pass(&mut self, sequence: u64) {
        if sequence > self.next {
            self.found.problems.push(Problem::Gap {
                from: self.next,
                to: sequence - 1,
            });
            self.next = sequence;
        }
    }
}
