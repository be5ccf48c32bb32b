//! The private folder: its lock, its id, and the way to an open journal.

use std::{
    fmt, io,
    io::IoSlice,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use tokio::sync::mpsc;

use crate::{
    Config, Error, Journal, Recovery,
    fs::{Fs, Lock, read_full_at, write_full_at},
    recover::recover,
    segment::{self, HEADER_BYTES, SegmentHeader},
    writer::Writer,
};

const ID_FILE: &str = "id";
const ID_FILE_NEW: &str = "id.new";
/// The id and its checksum.
const ID_FILE_BYTES: usize = 20;

/// A journal's folder, locked for this process. Tells the journal's id, by which the store knows
/// how far it has come; that is what [`Folder::open`] must be told.
pub struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) id: [u8; 16],
    lock: Lock,
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Folder {
    /// Takes the folder for this process; makes it, and an id from `random` bytes, when it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] when another process has it.
    pub fn claim(
        path: &Path,
        fs: Arc<dyn Fs>,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Self, Error> {
        fs.create_folder(path)
            .map_err(Error::io("creating", path))?;
        if let Some(parent) = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            fs.sync_folder(parent)
                .map_err(Error::io("syncing", parent))?;
        }
        let lock = fs.lock(path).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => Error::Locked {
                folder: path.to_owned(),
            },
            _ => Error::io("locking", path)(error),
        })?;
        let id = match read_id(&*fs, path)? {
            Some(id) => id,
            None => restore_id(&*fs, path, random)?,
        };
        Ok(Self {
            path: path.to_owned(),
            fs,
            id,
            lock,
        })
    }

    /// The journal's own random id.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Recovers what is in the folder and starts the writer thread.
    ///
    /// `at_least` is the position that the store has for this id, 0 when it has none. Everything up
    /// to it is forgotten, and new sequences are greater than it: should the folder have been
    /// emptied, no sequence is used twice.
    pub fn open(self, config: Config, at_least: u64) -> Result<(Journal, Recovery), Error> {
        let Self { path, fs, id, lock } = self;
        let (shared, file, recovery) = recover(&path, fs, id, config, at_least)?;
        let shared = Arc::new(shared);
        let (requests, incoming) = mpsc::unbounded_channel();
        let writer = Writer::new(shared.clone(), incoming, file);
        thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.run(lock))
            .map_err(Error::io("starting the writer thread of", &path))?;
        Ok((Journal::new(shared, requests), recovery))
    }
}

/// The id in its file; `None` when the file is not there or damaged.
pub(crate) fn read_id(fs: &dyn Fs, folder: &Path) -> Result<Option<[u8; 16]>, Error> {
    let path = folder.join(ID_FILE);
    let mut bytes = [0; ID_FILE_BYTES];
    let read = match fs.open(&path) {
        Ok(file) => read_full_at(&*file, &mut bytes, 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => Err(error),
    };
    let whole = read.map_err(Error::io("reading", &path))? == ID_FILE_BYTES;
    let (id, crc) = bytes.split_at(16);
    let intact = whole && crc == crc32c::crc32c(id).to_le_bytes();
    Ok(intact.then(|| id.try_into().expect("split at 16")))
}

/// Takes the id from the segments there are, or makes one; and writes it down.
fn restore_id(
    fs: &dyn Fs,
    folder: &Path,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<[u8; 16], Error> {
    let id = if let Some(id) = id_of_segments(fs, folder)? {
        tracing::warn!("the journal's id file is missing or damaged; its segments tell the id");
        id
    } else {
        let mut id = [0; 16];
        random(&mut id);
        id
    };
    let new = folder.join(ID_FILE_NEW);
    let write = || -> io::Result<()> {
        let file = fs.create(&new)?;
        let crc = crc32c::crc32c(&id).to_le_bytes();
        write_full_at(&*file, &mut [IoSlice::new(&id), IoSlice::new(&crc)], 0)?;
        file.sync_data()?;
        fs.rename(&new, &folder.join(ID_FILE))?;
        fs.sync_folder(folder)
    };
    write().map_err(Error::io("writing", &new))?;
    Ok(id)
}

/// The id that the newest intact segment has.
pub(crate) fn id_of_segments(fs: &dyn Fs, folder: &Path) -> Result<Option<[u8; 16]>, Error> {
    let mut names = fs.list(folder).map_err(Error::io("listing", folder))?;
    names.retain(|name| segment::first_of(name).is_some());
    names.sort_unstable();
    for name in names.iter().rev() {
        let path = folder.join(name);
        let mut bytes = [0; HEADER_BYTES];
        let read = fs
            .open(&path)
            .and_then(|file| read_full_at(&*file, &mut bytes, 0));
        read.map_err(Error::io("reading", &path))?;
        if let Ok(header) = SegmentHeader::decode(&bytes) {
            return Ok(Some(header.journal));
        }
    }
    Ok(None)
}
