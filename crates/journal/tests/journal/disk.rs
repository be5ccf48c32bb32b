//! What a disk has and what it only seems to have: a model of the page cache.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::support::random;

/// What a crash leaves of that which was not synced.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Left {
    /// All: only the process died.
    All,
    /// Nothing.
    Nothing,
    /// Any part, torn at any byte, by a seed.
    Part(u64),
}

/// A change of a file that has not been synced.
#[derive(Clone)]
pub(crate) enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

/// A file.
#[derive(Clone, Default)]
pub(crate) struct Inode {
    pub(crate) cached: Vec<u8>,
    pub(crate) durable: Vec<u8>,
    pub(crate) pending: Vec<Change>,
}

/// A change of a name that has not been synced.
#[derive(Clone)]
pub(crate) enum NameChange {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
}

impl NameChange {
    fn is_in(&self, folder: &Path) -> bool {
        let is_in = |path: &PathBuf| path.parent() == Some(folder);
        match self {
            Self::Link(path, _) | Self::Unlink(path) => is_in(path),
            Self::Rename(from, to, _) => is_in(from) || is_in(to),
        }
    }
}

/// How a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    Done,
    /// The kernel does not try again: what could not be written counts as written from now on.
    Failed,
}

/// All files and their names.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    pub(crate) inodes: Vec<Inode>,
    pub(crate) cached: BTreeMap<PathBuf, usize>,
    pub(crate) durable: BTreeMap<PathBuf, usize>,
    pub(crate) pending: Vec<NameChange>,
}

/// Changes a file; of a write only the first `upto` bytes.
pub(crate) fn apply(bytes: &mut Vec<u8>, change: &Change, upto: usize) {
    match change {
        Change::Write(offset, data) => {
            let from = usize::try_from(*offset).expect("small");
            let data = &data[..upto.min(data.len())];
            if bytes.len() < from + data.len() {
                bytes.resize(from + data.len(), 0);
            }
            bytes[from..from + data.len()].copy_from_slice(data);
        }
        Change::Truncate(len) => bytes.resize(usize::try_from(*len).expect("small"), 0),
    }
}

/// Changes a name.
pub(crate) fn apply_name(names: &mut BTreeMap<PathBuf, usize>, change: &NameChange) {
    match change {
        NameChange::Link(path, inode) => {
            names.insert(path.clone(), *inode);
        }
        NameChange::Unlink(path) => {
            names.remove(path);
        }
        NameChange::Rename(from, to, inode) => {
            names.remove(from);
            names.insert(to.clone(), *inode);
        }
    }
}

impl Disk {
    /// A disk that has these files for good.
    pub(crate) fn holding(files: &BTreeMap<PathBuf, Vec<u8>>) -> Self {
        let inodes = files.values().map(|bytes| Inode {
            cached: bytes.clone(),
            durable: bytes.clone(),
            pending: Vec::new(),
        });
        let names: BTreeMap<_, _> = files.keys().cloned().zip(0..).collect();
        Self {
            inodes: inodes.collect(),
            cached: names.clone(),
            durable: names,
            pending: Vec::new(),
        }
    }

    /// What programs see.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = self.cached.iter();
        files
            .map(|(path, inode)| (path.clone(), self.inodes[*inode].cached.clone()))
            .collect()
    }

    /// Makes names in a folder durable, or, when that fails, lets them seem so.
    pub(crate) fn sync_folder(&mut self, folder: &Path, outcome: Sync) {
        let (synced, pending): (Vec<_>, _) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|change| change.is_in(folder));
        self.pending = pending;
        if outcome == Sync::Done {
            for change in synced {
                apply_name(&mut self.durable, &change);
            }
        }
    }

    /// Whether a file is in quarantine: no promise is about it.
    pub(crate) fn is_aside(&self, inode: usize) -> bool {
        let mut names = self.cached.iter().filter(|(_, of)| **of == inode);
        names.any(|(path, _)| path.starts_with("/journal/quarantine"))
    }

    /// Bytes of all files that have a name.
    pub(crate) fn bytes(&self) -> u64 {
        let files = self.cached.values();
        files
            .map(|inode| self.inodes[*inode].cached.len() as u64)
            .sum()
    }

    /// What the next boot, or the next process, finds.
    pub(crate) fn after(mut self, left: Left) -> Self {
        if matches!(left, Left::All) {
            return self;
        }
        let mut seed = if let Left::Part(seed) = left { seed } else { 0 };
        let mut chance =
            |of: u64| matches!(left, Left::Part(_)) && !random(&mut seed).is_multiple_of(of);
        for change in &self.pending {
            if chance(2) {
                apply_name(&mut self.durable, change);
            }
        }
        for inode in &mut self.inodes {
            for change in std::mem::take(&mut inode.pending) {
                if chance(3) {
                    let whole = chance(2);
                    let Change::Write(_, data) = &change else {
                        apply(&mut inode.durable, &change, 0);
                        continue;
                    };
                    let upto = if whole { data.len() } else { data.len() / 3 };
                    apply(&mut inode.durable, &change, upto);
                }
            }
            inode.cached.clone_from(&inode.durable);
        }
        self.cached.clone_from(&self.durable);
        self.pending.clear();
        self
    }
}
