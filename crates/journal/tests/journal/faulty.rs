//! A file system in memory: what has not been synced is lost in a power cut, whole, or in any part;
//! any operation can fail, or be the last one; and there may be no room.

use std::{
    collections::BTreeMap,
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use copal_journal::fs::{File, Fs, Lock};

use crate::disk::{Change, Disk, Inode, Left, NameChange, Sync, apply, apply_name};

/// What happens at the k-th operation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    CrashBefore(u64),
    CrashAfter(u64),
    ErrorOnce(u64),
    /// The same, but the error says that the disk is full.
    FullOnce(u64),
    ErrorFrom(u64),
    Never,
}

/// Which syncs lie: the negative controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    None,
    Data,
    Folder,
}

struct World {
    disk: Disk,
    done: u64,
    fault: Fault,
    lie: Lie,
    dead: bool,
    sync_failed: bool,
    /// Bytes that all files may have together.
    room: u64,
}

#[derive(Clone)]
pub(crate) struct FaultyFs(Arc<Mutex<World>>);

fn eio() -> io::Error {
    io::Error::other("injected")
}

impl FaultyFs {
    pub(crate) fn new(fault: Fault, lie: Lie) -> Self {
        Self::on(Disk::default(), fault, lie)
    }

    /// A disk that has these files, and has no faults.
    pub(crate) fn holding(files: &BTreeMap<PathBuf, Vec<u8>>) -> Self {
        Self::on(Disk::holding(files), Fault::Never, Lie::None)
    }

    fn on(disk: Disk, fault: Fault, lie: Lie) -> Self {
        let world = World {
            disk,
            done: 0,
            fault,
            lie,
            dead: false,
            sync_failed: false,
            room: u64::MAX,
        };
        Self(Arc::new(Mutex::new(world)))
    }

    /// The same disk after a crash. The old one is dead from now on.
    pub(crate) fn restart(&self, left: Left, fault: Fault) -> Self {
        let mut world = self.world();
        world.dead = true;
        Self::on(world.disk.clone().after(left), fault, world.lie)
    }

    pub(crate) fn operations(&self) -> u64 {
        self.world().done
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.world().dead
    }

    pub(crate) fn sync_has_failed(&self) -> bool {
        self.world().sync_failed
    }

    /// What programs see.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.world().disk.files()
    }

    /// Lets all files together have no more than this many bytes.
    pub(crate) fn set_room(&self, bytes: u64) {
        self.world().room = bytes;
    }

    /// What happens next; counted from now on.
    pub(crate) fn set_fault(&self, fault: impl Fn(u64) -> Fault, after: u64) {
        let mut world = self.world();
        world.fault = fault(world.done + after);
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0
            .lock()
            .expect("no test panics while it holds the world")
    }

    /// One operation; `fail` is what happens to the world when it is made to fail.
    fn operate<T>(
        &self,
        act: impl FnOnce(&mut World) -> io::Result<T>,
        fail: impl FnOnce(&mut World),
    ) -> io::Result<T> {
        let mut world = self.world();
        if world.dead {
            return Err(eio());
        }
        world.done += 1;
        let now = world.done;
        match world.fault {
            Fault::CrashBefore(at) if at == now => {
                world.dead = true;
                Err(eio())
            }
            Fault::CrashAfter(at) if at == now => {
                let _ = act(&mut world);
                world.dead = true;
                Err(eio())
            }
            Fault::ErrorOnce(at) if at == now => {
                fail(&mut world);
                Err(eio())
            }
            Fault::FullOnce(at) if at == now => {
                fail(&mut world);
                Err(io::ErrorKind::StorageFull.into())
            }
            Fault::ErrorFrom(at) if at <= now => {
                fail(&mut world);
                Err(eio())
            }
            _ => act(&mut world),
        }
    }

    fn file(&self, inode: usize) -> Arc<dyn File> {
        Arc::new(FaultyFile {
            fs: self.clone(),
            inode,
        })
    }

    fn find(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let inode = self.operate(
            |world| {
                world
                    .disk
                    .cached
                    .get(path)
                    .copied()
                    .ok_or(io::ErrorKind::NotFound.into())
            },
            |_| {},
        )?;
        Ok(self.file(inode))
    }

    fn name(&self, make: impl FnOnce(&mut Disk) -> io::Result<NameChange>) -> io::Result<()> {
        self.operate(
            |world| {
                let change = make(&mut world.disk)?;
                apply_name(&mut world.disk.cached, &change);
                world.disk.pending.push(change);
                Ok(())
            },
            |_| {},
        )
    }
}

impl Fs for FaultyFs {
    fn create_folder(&self, _: &Path) -> io::Result<()> {
        self.operate(|_| Ok(()), |_| {})
    }

    fn lock(&self, _: &Path) -> io::Result<Lock> {
        self.operate(|_| Ok(Box::new(()) as Lock), |_| {})
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let of = |path: &PathBuf| {
            let name = path.strip_prefix(folder).ok()?.to_str()?;
            (!name.contains('/')).then(|| name.to_owned())
        };
        self.operate(
            |world| Ok(world.disk.cached.keys().filter_map(of).collect()),
            |_| {},
        )
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.find(path)
    }

    fn open_to_write(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.find(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.name(|disk| {
            disk.inodes.push(Inode::default());
            Ok(NameChange::Link(path.to_owned(), disk.inodes.len() - 1))
        })?;
        let inode = self.world().disk.cached[path];
        Ok(self.file(inode))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.name(|disk| {
            let inode = *disk.cached.get(from).ok_or(io::ErrorKind::NotFound)?;
            Ok(NameChange::Rename(from.to_owned(), to.to_owned(), inode))
        })
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.name(|disk| {
            disk.cached.get(path).ok_or(io::ErrorKind::NotFound)?;
            Ok(NameChange::Unlink(path.to_owned()))
        })
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.operate(
            |world| {
                if world.lie != Lie::Folder {
                    world.disk.sync_folder(folder, Sync::Done);
                }
                Ok(())
            },
            |world| {
                world.disk.sync_folder(folder, Sync::Failed);
                world.sync_failed |= !folder.ends_with("quarantine");
            },
        )
    }
}

struct FaultyFile {
    fs: FaultyFs,
    inode: usize,
}

impl FaultyFile {
    fn change(&self, change: &Change) -> io::Result<usize> {
        let apply_part = |world: &mut World, upto| {
            let inode = &mut world.disk.inodes[self.inode];
            apply(&mut inode.cached, change, upto);
            inode.pending.push(match change {
                Change::Write(at, data) => Change::Write(*at, data[..upto].to_vec()),
                Change::Truncate(len) => Change::Truncate(*len),
            });
        };
        let count = match change {
            Change::Write(_, data) => data.len(),
            Change::Truncate(_) => 0,
        };
        self.fs.operate(
            |world| {
                let room = world.room.saturating_sub(world.disk.bytes());
                let count = count.min(usize::try_from(room).unwrap_or(usize::MAX));
                if count == 0 && matches!(change, Change::Write(..)) {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                apply_part(world, count);
                Ok(count)
            },
            // A write that fails may have written some of it.
            |world| {
                if matches!(change, Change::Write(..)) {
                    apply_part(world, count / 2);
                }
            },
        )
    }
}

impl File for FaultyFile {
    fn size(&self) -> io::Result<u64> {
        self.fs.operate(
            |world| Ok(world.disk.inodes[self.inode].cached.len() as u64),
            |_| {},
        )
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.fs.operate(
            |world| {
                let bytes = &world.disk.inodes[self.inode].cached;
                let rest = bytes
                    .get(usize::try_from(offset).expect("small")..)
                    .unwrap_or_default();
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            },
            |_| {},
        )
    }

    fn write_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        let bytes = parts
            .iter()
            .flat_map(|part| part.iter().copied())
            .collect::<Vec<_>>();
        self.change(&Change::Write(offset, bytes))
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.change(&Change::Truncate(len)).map(drop)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.fs.operate(
            |world| {
                let lie = world.lie;
                let inode = &mut world.disk.inodes[self.inode];
                if lie != Lie::Data {
                    for change in std::mem::take(&mut inode.pending) {
                        apply(&mut inode.durable, &change, usize::MAX);
                    }
                }
                Ok(())
            },
            // The kernel marks the pages clean: no later sync writes them.
            |world| {
                world.sync_failed |= !world.disk.is_aside(self.inode);
                world.disk.inodes[self.inode].pending.clear();
            },
        )
    }
}
