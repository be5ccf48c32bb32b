//! Segment files: appended by the process that records a journal, read by all.
//!
//! The database commits a segment's length after the bytes are on disk. Bytes beyond it belong to
//! no transaction: they are cut before the first append, or overwritten by the next one.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// Bytes that are copied at once.
const COPY_BUFFER_BYTES: usize = 1 << 20;

/// Names a segment file: no two processes ever append to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SegmentName {
    /// The partition: the folder.
    pub(crate) partition: i64,
    /// Its row.
    pub(crate) id: i64,
    /// The journal whose process appends.
    pub(crate) journal: Uuid,
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file.
    pub(crate) segment: SegmentName,
    /// The first byte of its frame.
    pub(crate) start: u64,
    /// How many bytes the frame has.
    pub(crate) length: usize,
    /// Which of the frame's events it is, from 0.
    pub(crate) ordinal: usize,
}

/// Whose segments the database names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Those in the folder, and no others.
    Alone,
    /// Other nodes' as well, which are in their folders.
    WithOthers,
}

/// The folder of all segments that are here.
#[derive(Debug, Clone)]
pub(crate) struct Segments {
    folder: PathBuf,
    sharing: Sharing,
}

impl Segments {
    /// The segments in `folder`.
    pub(crate) const fn new(folder: PathBuf, sharing: Sharing) -> Self {
        Self { folder, sharing }
    }

    /// Whether the database may name segments that are other nodes'.
    pub(crate) fn are_shared(&self) -> bool {
        self.sharing == Sharing::WithOthers
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the folder where it does not exist, durably.
    pub(crate) fn create(&self) -> io::Result<()> {
        create_folder(&self.folder)
    }

    /// Reads the bytes of a frame.
    pub(crate) fn read(&self, place: Place) -> io::Result<Vec<u8>> {
        let mut frame = vec![0; place.length];
        File::open(self.path(place.segment))?.read_exact_at(&mut frame, place.start)?;
        Ok(frame)
    }

    /// Opens a segment for appending, made where it does not exist, durably.
    pub(crate) fn open(&self, segment: SegmentName) -> io::Result<File> {
        let path = self.path(segment);
        let folder = self.partition(segment.partition);
        create_folder(&folder)?;
        let is_new = !path.exists();
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        if is_new {
            sync_folder(&folder)?;
        }
        Ok(file)
    }

    /// Cuts what was appended beyond `length` and not committed. Answers how many bytes it was.
    pub(crate) fn cut(&self, segment: SegmentName, length: u64) -> io::Result<u64> {
        let file = match File::options().write(true).open(self.path(segment)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound && length == 0 => return Ok(0),
            Err(error) => return Err(error),
        };
        let surplus = file.metadata()?.len().saturating_sub(length);
        if surplus > 0 {
            file.set_len(length)?;
            file.sync_data()?;
        }
        Ok(surplus)
    }

    /// Copies frames, given by start and length, to a new segment, one behind the other, and syncs
    /// it.
    pub(crate) fn copy(
        &self,
        source: SegmentName,
        target: SegmentName,
        frames: impl Iterator<Item = (u64, usize)>,
    ) -> io::Result<()> {
        let from = File::open(self.path(source))?;
        let mut to = io::BufWriter::with_capacity(COPY_BUFFER_BYTES, self.open(target)?);
        let mut frame = Vec::new();
        for (start, length) in frames {
            frame.resize(length, 0);
            from.read_exact_at(&mut frame, start)?;
            to.write_all(&frame)?;
        }
        to.into_inner()?.sync_data()
    }

    /// Deletes files of segments that are not among `known`.
    pub(crate) fn keep_only(&self, known: &HashSet<i64>) -> io::Result<()> {
        for (segment, path) in self.files()? {
            if !known.contains(&segment.id) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// The journals whose segments are here.
    pub(crate) fn journals(&self) -> io::Result<HashSet<Uuid>> {
        let files = self.files()?.into_iter();
        Ok(files.map(|(segment, _)| segment.journal).collect())
    }

    /// Deletes files of partitions that are not among `known`.
    pub(crate) fn keep_partitions(&self, known: &[i64]) -> io::Result<()> {
        for partition in self.partitions()? {
            if !known.contains(&partition) {
                self.delete_partition(partition)?;
            }
        }
        Ok(())
    }

    fn delete_partition(&self, partition: i64) -> io::Result<()> {
        match fs::remove_dir_all(self.partition(partition)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The partitions that have a folder.
    fn partitions(&self) -> io::Result<Vec<i64>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut partitions = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            partitions.extend(name.to_str().and_then(|name| name.parse::<i64>().ok()));
        }
        Ok(partitions)
    }

    fn files(&self) -> io::Result<Vec<(SegmentName, PathBuf)>> {
        let mut files = Vec::new();
        for partition in self.partitions()? {
            for entry in fs::read_dir(self.partition(partition))? {
                let path = entry?.path();
                let name = path.file_stem().and_then(|name| name.to_str());
                let parts = name.and_then(|name| name.split_once('-'));
                if let Some((id, journal)) = parts
                    && let (Ok(id), Ok(journal)) = (id.parse(), journal.parse())
                {
                    let segment = SegmentName {
                        partition,
                        id,
                        journal,
                    };
                    files.push((segment, path));
                }
            }
        }
        Ok(files)
    }

    fn partition(&self, partition: i64) -> PathBuf {
        self.folder.join(partition.to_string())
    }

    fn path(&self, segment: SegmentName) -> PathBuf {
        self.partition(segment.partition).join(format!(
            "{}-{}.seg",
            segment.id,
            segment.journal.simple()
        ))
    }
}

/// Makes a folder and those that it is in, so that they survive a power cut.
fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    let Some(parent) = folder.parent() else {
        return Ok(());
    };
    create_folder(parent)?;
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        // Somebody else was quicker.
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_folder(parent)
}

/// Makes new names in a folder survive a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
