//! The file operations that the journal uses, and nothing else.
//!
//! A trait, so that tests can put a model of the page cache in the place of the kernel and let each
//! operation fail or be the last.

use std::{
    any::Any,
    fs::{DirBuilder, File as StdFile, OpenOptions},
    io::{self, IoSlice},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

use rustix::fs::FlockOperation;

/// Held for as long as a folder is locked; dropping it unlocks.
pub type Lock = Box<dyn Any + Send + Sync>;

/// A file system.
pub trait Fs: Send + Sync + 'static {
    /// Makes a folder and its parents, for the owner only; fine when it is there.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Takes the folder for this process alone.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] when another process has it.
    fn lock(&self, folder: &Path) -> io::Result<Lock>;
    /// Names of the files in a folder, in no order.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Opens a file to read.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Opens a file to read and write.
    fn open_to_write(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Makes an empty file to read and write, for the owner only, in the place of what was there.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Gives a file another name in the same file system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file's name.
    fn unlink(&self, path: &Path) -> io::Result<()>;
    /// Makes names that were made, changed or removed in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// An open file.
pub trait File: Send + Sync {
    /// How many bytes it has.
    fn size(&self) -> io::Result<u64>;
    /// Reads from a place in the file; fewer bytes than asked for are possible, none is the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes to a place in the file; fewer bytes than given are possible.
    fn write_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<usize>;
    /// Cuts the file.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Makes what was written durable, and the file's length.
    fn sync_data(&self) -> io::Result<()>;
}

/// Reads until the buffer is full or the file ends; says how much it read.
pub(crate) fn read_full_at(file: &dyn File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Writes everything.
pub(crate) fn write_full_at(
    file: &dyn File,
    mut parts: &mut [IoSlice<'_>],
    mut offset: u64,
) -> io::Result<()> {
    IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        match file.write_at(parts, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                IoSlice::advance_slices(&mut parts, written);
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The kernel's.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealFs;

impl Fs for RealFs {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        // It may have been there, with other permissions.
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(path, private)
    }

    fn lock(&self, folder: &Path) -> io::Result<Lock> {
        let folder = StdFile::open(folder)?;
        rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(folder))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(StdFile::open(path)?))
    }

    fn open_to_write(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(
            OpenOptions::new().read(true).write(true).open(path)?,
        ))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600);
        Ok(Arc::new(options.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        StdFile::open(folder)?.sync_all()
    }
}

impl File for StdFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn write_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        Ok(rustix::io::pwritev(self, parts, offset)?)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        StdFile::sync_data(self)
    }
}
