//! Lists in parts: how many entries are shown at once, and after which. What is in a list, and who sees it, each list says.

use super::Fault;
use super::fault::wrong;

/// Entries that are shown without a wish.
const USUAL: u64 = 100;

/// Most entries that are shown at once.
const MOST: u64 = 200;

/// A part of a list, as it is asked for.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// At most so many, 1 to 200; 100 without it.
    pub first: Option<i32>,
    /// Number or name of the last entry that was seen; the list begins after it.
    pub after: Option<String>,
}

impl Page {
    /// How many entries.
    pub(crate) fn limit(&self) -> Result<u64, Fault> {
        match self.first.map(u64::try_from) {
            None => Ok(USUAL),
            Some(Ok(first @ 1..=MOST)) => Ok(first),
            Some(_) => Err(wrong("first", "expected 1 to 200", "應為 1 至 200")),
        }
    }
}

/// There is no such entry in the list.
pub(crate) fn no_entry(after: &str) -> Fault {
    let (en, zh) = (format!("there is no \"{after}\" in this list"), format!("清單中無「{after}」"));
    wrong("after", en, zh)
}
