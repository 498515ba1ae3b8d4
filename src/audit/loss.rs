//! What a reader of the log missed, in words. Finding it is left to those who read.

use std::fmt;

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
            Missing::Indexed { segment, records } => {
                write!(out, "segment {segment}: {records} records that the index knows are not there")
            }
        }
    }
}
