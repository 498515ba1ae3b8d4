//! What a reader of the log missed, in words. Finding it is left to those who read.

use std::fmt;
use std::path::PathBuf;

use super::scan::Gap;
use super::segment::Folder;

/// A place where records are missing or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The node.
    pub node: String,
    /// What is missing.
    pub what: Missing,
}

/// What is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// Frames within a segment.
    Within {
        /// The segment.
        segment: u64,
        /// Where.
        gap: Gap,
    },
    /// Frames between two segments; before the first one where `before` is 0.
    Between {
        /// The segment before.
        before: u64,
        /// The segment after.
        after: u64,
        /// How many frames.
        frames: u64,
    },
    /// A segment whose numbers stand in the one before already.
    Twice {
        /// The segment before.
        before: u64,
        /// The segment after.
        after: u64,
    },
    /// The end of a segment that another one follows.
    End {
        /// The segment.
        segment: u64,
    },
    /// A file or folder that cannot be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: String,
    },
    /// Records that the index knows, and the segment does not hold.
    Indexed {
        /// The segment.
        segment: u64,
        /// How many.
        records: usize,
    },
}

impl Missing {
    /// The same, of a node.
    pub fn of(self, folder: &Folder) -> Loss {
        Loss { node: folder.node().to_owned(), what: self }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "node {}, ", self.node)?;
        match &self.what {
            Missing::Within { segment, gap } => {
                let frames = gap.missing.map_or_else(|| "some".to_owned(), |missing| missing.to_string());
                write!(out, "segment {segment}, byte {}: {frames} frames are missing or altered", gap.offset)
            }
            Missing::Between { before: 0, after, frames } => {
                write!(out, "before segment {after}: {frames} frames are missing")
            }
            Missing::Between { before, after, frames } => {
                write!(out, "between segments {before} and {after}: {frames} frames are missing")
            }
            Missing::Twice { before, after } => {
                write!(
                    out,
                    "segment {after} has frame numbers that segment {before} has, too: one of them is out of place"
                )
            }
            Missing::End { segment } => {
                write!(
                    out,
                    "segment {segment} was cut or altered at its end: another one follows, and it was never ended"
                )
            }
            Missing::Unreadable { path, error } => write!(out, "{} cannot be read: {error}", path.display()),
            Missing::Indexed { segment, records } => {
                write!(out, "segment {segment}: {records} records that the index knows are not there")
            }
        }
    }
}
