//! A thread that writes a little and syncs, so many times a second, and has nothing to do with any server: what it takes
//! from them is the disk's price, whoever pays it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// As much as a batch of records.
const BYTES: usize = 5_000;
/// Written in advance, so that a sync has no blocks to allocate.
const FILE: usize = 4 << 20;

pub struct Syncs {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Syncs {
    pub fn start(folder: &Path, rate: u32) -> anyhow::Result<Syncs> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(folder.join("syncs"))?;
        file.write_all_at(&vec![0; FILE], 0)?;
        file.sync_all()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let told = is_over.clone();
        let thread = std::thread::spawn(move || sync(&file, Duration::from_secs(1) / rate, &told));
        Ok(Syncs { is_over, thread })
    }

    /// Ends it; how many there were.
    pub fn stop(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or(0)
    }
}

fn sync(file: &File, apart: Duration, is_over: &AtomicBool) -> u64 {
    let begun = Instant::now();
    let mut done = 0u64;
    while !is_over.load(Ordering::Relaxed) {
        let offset = (done as usize * BYTES) % (FILE - BYTES);
        if file.write_all_at(&[1; BYTES], offset as u64).and_then(|()| file.sync_data()).is_err() {
            break;
        }
        done += 1;
        let next = begun + apart.mul_f64(done as f64);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    done
}
