//! A disk for the audit log that fails or stalls as it is told.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use cityquery::audit::disk::{Disk, DiskFile, RealDisk};

/// What goes wrong at present.
#[derive(Default)]
pub struct Faults {
    /// The next sync fails; those after it would succeed.
    pub fail_one_sync: AtomicBool,
    /// Writes fail for want of space.
    pub is_full: AtomicBool,
    /// Each sync takes so many milliseconds.
    pub stall_ms: AtomicU64,
}

/// The disk.
#[derive(Clone, Default)]
pub struct FaultyDisk(pub Arc<Faults>);

struct FaultyFile {
    file: Box<dyn DiskFile>,
    faults: Arc<Faults>,
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path, bytes: u64, hurried: &dyn Fn() -> bool) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(FaultyFile { file: RealDisk.create(path, bytes, hurried)?, faults: self.0.clone() }))
    }
}

impl DiskFile for FaultyFile {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        if self.faults.is_full.load(SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        std::thread::sleep(Duration::from_millis(self.faults.stall_ms.load(SeqCst)));
        if self.faults.fail_one_sync.swap(false, SeqCst) {
            return Err(io::Error::other("the disk said no"));
        }
        self.file.sync()
    }

    fn check(&self, bytes: u64) -> io::Result<()> {
        self.file.check(bytes)
    }

    fn grow(&mut self, bytes: u64) -> io::Result<()> {
        self.file.grow(bytes)
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.file.cut(bytes)
    }
}
