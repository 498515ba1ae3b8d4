//! The few things the log asks of a disk, as a trait, so that tests can make every one of them fail.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, FallocateFlags, StatxFlags, fallocate, fdatasync, major, minor, statx};

/// Makes segment files.
pub trait Disk: Send + Sync {
    /// Creates a file of `bytes` zeros that must not exist yet, durable with its name in the folder.
    /// Zeros that are really written make each later sync cheaper; once `hurried` says that there is no more time for it,
    /// the rest is allocated only.
    fn create(&self, path: &Path, bytes: u64, hurried: &dyn Fn() -> bool) -> io::Result<Box<dyn DiskFile>>;
}

/// One open segment file.
pub trait DiskFile: Send {
    /// Writes at an offset; may write less than asked.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Makes everything written durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Fails unless the name still leads to this very file, at least `bytes` long.
    fn check(&self, bytes: u64) -> io::Result<()>;
    /// Makes the file larger, with its blocks allocated.
    fn grow(&mut self, bytes: u64) -> io::Result<()>;
    /// Cuts the file behind its last frame and makes that durable.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;
}

/// The real disk.
pub struct RealDisk;

/// Device, by its two numbers, and inode.
type Identity = (u32, u32, u64);

/// A real file.
pub struct RealFile {
    file: File,
    path: PathBuf,
    identity: Identity,
}

impl Disk for RealDisk {
    fn create(&self, path: &Path, bytes: u64, hurried: &dyn Fn() -> bool) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        let filled = reserve(&file, bytes, hurried).and_then(|()| sync_folder_of(path));
        if let Err(error) = filled {
            // Half a segment would hold the very space that is missing. When even this fails, the next start
            // removes it: an all-zero segment is never taken for a log.
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        Ok(Box::new(RealFile::new(file, path)?))
    }
}

impl RealFile {
    /// Takes a file that was opened under `path`.
    pub fn new(file: File, path: &Path) -> io::Result<RealFile> {
        let metadata = file.metadata()?;
        let identity = (major(metadata.dev()), minor(metadata.dev()), metadata.ino());
        Ok(RealFile { file, path: path.to_owned(), identity })
    }
}

impl DiskFile for RealFile {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(fdatasync(&self.file)?)
    }

    fn check(&self, bytes: u64) -> io::Result<()> {
        let (identity, length) = look(&self.path)?;
        if identity != self.identity {
            return Err(io::Error::other("another file stands under the segment's name"));
        }
        if length < bytes {
            return Err(io::Error::other("the segment was cut short"));
        }
        Ok(())
    }

    fn grow(&mut self, bytes: u64) -> io::Result<()> {
        reserve(&self.file, bytes, &|| true)
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        self.file.sync_all()
    }
}

/// Which file stands under a name, and its length. The file's times are not asked for: since Linux 6.13 a write gives the
/// file a new time of its own if somebody asked after the last one, and then the sync has to write the inode as well.
fn look(path: &Path) -> io::Result<(Identity, u64)> {
    let found = statx(CWD, path, AtFlags::empty(), StatxFlags::INO | StatxFlags::SIZE)?;
    Ok(((found.stx_dev_major, found.stx_dev_minor, found.stx_ino), found.stx_size))
}

/// Allocates the blocks, so that a full disk shows now and not when a record needs them.
fn reserve(file: &File, bytes: u64, hurried: &dyn Fn() -> bool) -> io::Result<()> {
    let written = file.metadata()?.len();
    let allocated = match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) => true,
        Err(rustix::io::Errno::OPNOTSUPP) => false,
        Err(error) => return Err(error.into()),
    };
    write_zeros(file, written, bytes, &|| allocated && hurried())?;
    file.sync_all()
}

/// Writes in small steps and rests between them: the committer's own sync waits for whatever the disk is busy with.
fn write_zeros(file: &File, from: u64, bytes: u64, enough: &dyn Fn() -> bool) -> io::Result<()> {
    const STEP: u64 = 256 << 10;
    const LONGEST_REST: Duration = Duration::from_millis(20);
    let zeros = vec![0u8; STEP.min(bytes) as usize];
    for start in (from..bytes).step_by(STEP as usize) {
        if enough() {
            return Ok(());
        }
        let begun = Instant::now();
        file.write_all_at(&zeros[..STEP.min(bytes - start) as usize], start)?;
        fdatasync(file)?;
        if start > from && !enough() {
            std::thread::sleep((begun.elapsed() * 2).min(LONGEST_REST));
        }
    }
    Ok(())
}

/// Makes a file's name durable.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
