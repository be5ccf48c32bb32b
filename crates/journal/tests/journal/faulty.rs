//! A model of the page cache: what has not been synced is lost in a power cut, whole, or in any
//! part; and any operation can fail, or be the last one.

use std::{
    collections::BTreeMap,
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use copal_journal::fs::{File, Fs, Lock};

/// What happens at the k-th operation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    CrashBefore(u64),
    CrashAfter(u64),
    ErrorOnce(u64),
    ErrorFrom(u64),
    Never,
}

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

/// Which syncs lie: the negative controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    None,
    Data,
    Folder,
}

#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

#[derive(Clone, Default)]
struct Inode {
    cached: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum NameChange {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
}

#[derive(Clone, Default)]
struct Disk {
    inodes: Vec<Inode>,
    cached: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    pending: Vec<NameChange>,
}

struct World {
    disk: Disk,
    done: u64,
    fault: Fault,
    lie: Lie,
    dead: bool,
    sync_failed: bool,
}

#[derive(Clone)]
pub(crate) struct FaultyFs(Arc<Mutex<World>>);

/// A small generator, so that a seed says everything.
pub(crate) fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn eio() -> io::Error {
    io::Error::other("injected")
}

fn apply(bytes: &mut Vec<u8>, change: &Change, upto: usize) {
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

fn apply_name(names: &mut BTreeMap<PathBuf, usize>, change: &NameChange) {
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
    /// What the next boot, or the next process, finds.
    fn after(mut self, left: Left) -> Self {
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

impl FaultyFs {
    pub(crate) fn new(fault: Fault, lie: Lie) -> Self {
        Self::on(Disk::default(), fault, lie)
    }

    fn on(disk: Disk, fault: Fault, lie: Lie) -> Self {
        let world = World {
            disk,
            done: 0,
            fault,
            lie,
            dead: false,
            sync_failed: false,
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

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        self.operate(
            |world| {
                if world.lie != Lie::Folder {
                    for change in std::mem::take(&mut world.disk.pending) {
                        apply_name(&mut world.disk.durable, &change);
                    }
                }
                Ok(())
            },
            // As with a file's pages: what could not be written counts as written from now on.
            |world| {
                world.sync_failed = true;
                world.disk.pending.clear();
            },
        )
    }
}

struct FaultyFile {
    fs: FaultyFs,
    inode: usize,
}

impl FaultyFile {
    fn change(&self, change: &Change) -> io::Result<()> {
        let apply_part = |world: &mut World, upto| {
            let inode = &mut world.disk.inodes[self.inode];
            apply(&mut inode.cached, change, upto);
            inode.pending.push(match change {
                Change::Write(at, data) => {
                    Change::Write(*at, data[..upto.min(data.len())].to_vec())
                }
                Change::Truncate(len) => Change::Truncate(*len),
            });
        };
        self.fs.operate(
            |world| {
                apply_part(world, usize::MAX);
                Ok(())
            },
            // A write that fails may have written some of it.
            |world| {
                if let Change::Write(_, data) = change {
                    apply_part(world, data.len() / 2);
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
        let count = bytes.len();
        self.change(&Change::Write(offset, bytes))?;
        Ok(count)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.change(&Change::Truncate(len))
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
                world.sync_failed = true;
                world.disk.inodes[self.inode].pending.clear();
            },
        )
    }
}
