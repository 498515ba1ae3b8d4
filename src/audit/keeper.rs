//! The thread that keeps one segment ready ahead, and next month's key, so that no record waits for either.
//! A full disk shows here first, while the segment in use still has room.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender};

use super::disk::Disk;
use super::seal::Keyring;
use super::segment::{Folder, Prepared};
use super::state::Shared;

/// How long to wait after a failure, and how often to look at the keys.
const PAUSE: Duration = Duration::from_secs(1);
/// A key is made this long before its month begins.
const KEY_AHEAD_US: i64 = 3 * 86_400_000_000;
/// Nice value of the thread: what it does is needed soon, not now.
const NICE: i32 = 5;

pub(super) struct Keeper {
    pub shared: Arc<Shared>,
    pub folder: Folder,
    pub disk: Arc<dyn Disk>,
    pub keys: Arc<Keyring>,
    pub segment_bytes: u64,
    pub next_segment: u64,
    /// Without a buffer: what the committer takes, the keeper has just handed over.
    pub outbox: Sender<Prepared>,
    /// What was wrong with the keys when they were last looked at.
    pub told: Vec<String>,
    /// Disconnected when the log is closed.
    pub closed: crossbeam_channel::Receiver<()>,
}

impl Keeper {
    /// Runs until the committer is gone.
    pub fn run(mut self) {
        lower_priority(NICE);
        loop {
            let path = self.folder.segment(self.next_segment);
            match self.disk.create(&path, self.segment_bytes, &|| self.shared.is_hurried()) {
                Ok(file) => {
                    self.shared.relieve();
                    let prepared = Prepared { number: self.next_segment, file, bytes: self.segment_bytes };
                    if !self.hand_over(prepared, path) {
                        return;
                    }
                    self.next_segment += 1;
                }
                Err(error) => {
                    tracing::error!(file = %path.display(), %error, "the next audit segment cannot be made");
                    self.see_to_keys();
                    let closed = self.closed.recv_timeout(PAUSE);
                    if closed == Err(crossbeam_channel::RecvTimeoutError::Disconnected) {
                        return;
                    }
                }
            }
        }
    }

    /// Waits until the committer takes the segment; false when it is gone.
    fn hand_over(&mut self, mut prepared: Prepared, path: PathBuf) -> bool {
        loop {
            self.see_to_keys();
            match self.outbox.send_timeout(prepared, PAUSE) {
                Ok(()) => return true,
                Err(SendTimeoutError::Timeout(back)) => prepared = back,
                Err(SendTimeoutError::Disconnected(unused)) => {
                    drop(unused);
                    // Only space is lost when this fails; the next start removes it.
                    let _ = std::fs::remove_file(path);
                    return false;
                }
            }
        }
    }

    /// Next month's key is made ahead; those in use must stand in their files, or all that they seal is lost with this process.
    fn see_to_keys(&mut self) {
        let now_us = self.shared.now_us();
        let told = self.keys.watch(now_us).unwrap_or_else(|error| vec![error.to_string()]);
        if told != self.told {
            told.iter().for_each(|fault| tracing::error!(fault, "an audit key is not as it should be"));
            self.told = told;
        }
        let soon = now_us.saturating_add(KEY_AHEAD_US);
        if let Err(error) = self.keys.prepare(soon) {
            tracing::error!(%error, "the next month's audit key cannot be made");
        }
    }
}

/// Lowers the calling thread's priority; on Linux the nice value belongs to the thread.
pub(super) fn lower_priority(nice: i32) {
    let thread = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(thread), nice) {
        tracing::debug!(%error, "the thread keeps its priority");
    }
}
