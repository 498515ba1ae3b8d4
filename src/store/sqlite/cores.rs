//! How many threads run short statements on SQLite files, and which core each of them stays on. What they run is left
//! to `sqlite`.
//!
//! Under load these threads hardly ever sleep, and a scheduler finds a place for a thread when it wakes: two of them can
//! share one core for seconds while the other core waits for the audit log's disk. Measured on two cores with the log
//! on, each thread on its own core answers a sixth more point queries.

use std::num::NonZero;
use std::thread::available_parallelism;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Fewer threads would let one slow statement stand in the way of all others.
const FEWEST: usize = 2;
/// Each thread keeps pages of each file, so that more of them cost memory.
const MOST: usize = 8;

/// Threads for short statements: one for each core that the process may use, within bounds.
pub fn threads() -> usize {
    available_parallelism().map_or(FEWEST, NonZero::get).clamp(FEWEST, MOST)
}

/// Keeps the calling thread, the one of that number among `threads`, on a core of its own. Where there are more or fewer
/// cores than threads it stays free: it would only be kept from cores that others leave idle.
pub fn stay(number: usize, threads: usize) {
    let tied = sched_getaffinity(None).and_then(|allowed| match core(&allowed, number, threads) {
        Some(core) => {
            let mut own = CpuSet::new();
            own.set(core);
            sched_setaffinity(None, &own)
        }
        None => Ok(()),
    });
    if let Err(error) = tied {
        tracing::debug!(%error, number, "a SQLite thread is left to the scheduler");
    }
}

/// The core of that number among those that are allowed, if there are exactly as many as threads.
fn core(allowed: &CpuSet, number: usize, threads: usize) -> Option<usize> {
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    if allowed.count() as usize == threads { cores.nth(number) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(cores: &[usize]) -> CpuSet {
        let mut set = CpuSet::new();
        cores.iter().for_each(|core| set.set(*core));
        set
    }

    #[test]
    fn as_many_cores_as_threads_are_shared_out_one_each() {
        let allowed = set(&[1, 4, 6]);
        assert_eq!([0, 1, 2].map(|number| core(&allowed, number, 3)), [Some(1), Some(4), Some(6)]);
    }

    #[test]
    fn with_more_or_fewer_cores_than_threads_nobody_is_tied() {
        assert_eq!(core(&set(&[0, 1, 2, 3]), 0, 2), None);
        assert_eq!(core(&set(&[5]), 0, 2), None);
    }

    #[test]
    fn a_thread_that_stays_is_allowed_its_core_alone() {
        let cores = sched_getaffinity(None).expect("the cores that are allowed").count() as usize;
        let tied = std::thread::spawn(move || {
            stay(0, cores);
            sched_getaffinity(None).expect("the core it is tied to").count()
        });
        assert_eq!(tied.join().expect("the thread ends"), 1);
    }
}
