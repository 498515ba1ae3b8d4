//! A disk that fails as it is told.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::audit::disk::{Disk, DiskFile, RealDisk};

/// What goes wrong at present.
#[derive(Default)]
pub struct Faults {
    /// The next sync fails once, and those after it succeed: what a retry would be fooled by.
    pub fail_one_sync: AtomicBool,
    /// A write takes at most so many bytes; 0 is no limit.
    pub write_at_most: AtomicUsize,
    /// Writes fail for want of space.
    pub fail_writes: AtomicBool,
    /// No file can be made.
    pub is_full: AtomicBool,
    /// A file is made when it can wait no longer, and not before: what a slow disk comes to.
    pub only_hurried: AtomicBool,
    /// Each sync takes that long.
    pub stall: Mutex<Duration>,
    /// Syncs that were asked for.
    pub syncs: AtomicUsize,
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
        while self.0.only_hurried.load(SeqCst) && !hurried() {
            std::thread::yield_now();
        }
        if self.0.is_full.load(SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(Box::new(FaultyFile { file: RealDisk.create(path, bytes, hurried)?, faults: self.0.clone() }))
    }
}

impl DiskFile for FaultyFile {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        if self.faults.fail_writes.load(SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let limit = match self.faults.write_at_most.load(SeqCst) {
            0 => bytes.len(),
            limit => limit.min(bytes.len()),
        };
        self.file.write_at(&bytes[..limit], offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.faults.syncs.fetch_add(1, SeqCst);
        let stall = *self.faults.stall.lock().unwrap();
        std::thread::sleep(stall);
        if self.faults.fail_one_sync.swap(false, SeqCst) {
            return Err(io::Error::from_raw_os_error(5));
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
