//! A month's key that is gone while records are sealed under it: noticed at the start, and never replaced under its own
//! name. So what it sealed is said to lack its key, not to be altered, and opens again once the key is put back.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::read::newest_first_within;
use super::seal::{Keyring, generation, month_of};
use super::segment::Folder;

/// Sees to it that the month of `now_us` has a key; under another name where it had one before that is gone.
pub fn prepare(keys: &Keyring, dir: &Path, now_us: i64) -> io::Result<()> {
    let (from_us, until_us, month) = month_of(now_us)?;
    if keys.key_of(&month)?.is_none()
        && let Some(used) = last_used(dir, (from_us, until_us), &month)?
    {
        let name = format!("{month}.{}", used + 1);
        keys.begin(&name)?;
        tracing::error!(
            %month,
            made = name,
            "records of this month are sealed under an audit key that is gone: put it back from a backup; until then they \
             do not open. What comes is sealed under another one"
        );
    }
    keys.prepare(now_us)
}

/// Which of a month's keys sealed last; `None` where none did.
fn last_used(dir: &Path, span_us: (i64, i64), month: &str) -> io::Result<Option<u32>> {
    let mut used = None;
    newest_first_within(&Folder::all(dir)?, span_us, |_, _, contents| {
        let records = contents.records.iter().filter_map(|frame| contents.decode(frame).ok());
        let found = records.filter_map(|record| generation(&record.sealed?.partition, month)).max();
        used = used.max(found);
        Ok(if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(used)
}
