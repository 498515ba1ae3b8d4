//! Reads whole segments back, also while a server writes them: records, blobs, marks, and what is missing.
//! Which records are wanted is left to `show`, `search` and `index`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;

use minicbor::decode::Error;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::decode::{self, StoredRecord};
use super::frame::{Frame, FrameKind};
use super::marks::{BlobMark, End, SegmentHeader, Withheld};
use super::scan::{Gap, Piece, Scan};
use super::segment::Folder;

/// What a segment holds.
#[derive(Default)]
pub struct Contents<'a> {
    /// Its header, unless that is damaged.
    pub header: Option<SegmentHeader>,
    /// Frames with records, in order.
    pub records: Vec<Frame<'a>>,
    /// Documents and shapes by their hash, each checked against it.
    pub blobs: HashMap<[u8; 32], &'a [u8]>,
    /// Marks by the number of the record's frame, which may stand in an earlier segment.
    pub withheld: HashMap<u64, Withheld>,
    /// The last frame, once there is one.
    pub end: Option<End>,
    /// What is missing.
    pub gaps: Vec<Gap>,
}

impl<'a> Contents<'a> {
    /// Walks over a segment file. A frame that has a right checksum but cannot be read counts as a gap.
    pub fn of(bytes: &'a [u8]) -> Contents<'a> {
        let mut contents = Contents::default();
        for piece in Scan::segment(bytes) {
            match piece {
                Piece::Gap(gap) => contents.gaps.push(gap),
                Piece::Frame(frame) => {
                    if contents.take(frame).is_err() {
                        let bytes = frame.end() - frame.offset;
                        contents.gaps.push(Gap { offset: frame.offset, bytes, missing: Some(1), was_durable: true });
                    }
                }
            }
        }
        contents
    }

    /// Takes one more frame.
    pub fn take(&mut self, frame: Frame<'a>) -> Result<(), Error> {
        match frame.kind {
            FrameKind::Header => self.header = Some(minicbor::decode(frame.payload)?),
            FrameKind::Record => self.records.push(frame),
            FrameKind::End => self.end = Some(minicbor::decode(frame.payload)?),
            FrameKind::Checkpoint => {}
            FrameKind::Withheld => {
                let mark: Withheld = minicbor::decode(frame.payload)?;
                self.withheld.insert(mark.seq, mark);
            }
            FrameKind::Blob => {
                let blob: BlobMark<'a> = minicbor::decode(frame.payload)?;
                if <[u8; 32]>::from(Sha256::digest(blob.bytes)) != blob.hash {
                    return Err(Error::message("a blob does not have the hash it is known by"));
                }
                self.blobs.insert(blob.hash, blob.bytes);
            }
        }
        Ok(())
    }

    /// Hash of the declarations that records of this segment refer to.
    pub fn schema_hash(&self) -> [u8; 32] {
        self.header.as_ref().map(|header| header.schema_hash).unwrap_or_default()
    }

    /// Decodes one of the records.
    pub fn decode(&self, frame: &Frame<'_>) -> Result<StoredRecord, Error> {
        decode::record(frame.payload, &self.schema_hash())
    }

    /// The record of that id.
    pub fn find(&self, id: Uuid) -> Option<&Frame<'a>> {
        // Every record begins with its id: map head, key 0, byte string of 16.
        self.records.iter().find(|frame| frame.payload.get(3..19) == Some(id.as_bytes().as_slice()))
    }

    /// Whether the record's answer left, as far as this segment tells.
    pub fn release(&self, seq: u64) -> Release {
        match (self.withheld.get(&seq), self.end.as_ref().and_then(|end| end.unconfirmed_from)) {
            (Some(mark), _) => Release::Withheld(mark.clone()),
            (None, Some(from)) if seq >= from => Release::Unconfirmed,
            _ => Release::Released,
        }
    }
}

/// Whether an answer left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Release {
    /// It was released.
    Released,
    /// It was not.
    Withheld(Withheld),
    /// The process stopped around that moment: it may have been.
    Unconfirmed,
}

/// Calls `take` with every segment of every node, newest first; a node is left when it says so.
pub fn newest_first(
    folders: &[Folder],
    mut take: impl FnMut(&Folder, u64, Contents<'_>) -> io::Result<ControlFlow<()>>,
) -> io::Result<()> {
    for folder in folders {
        for number in folder.numbers()?.into_iter().rev() {
            let bytes = match std::fs::read(folder.segment(number)) {
                Ok(bytes) => bytes,
                // Made ahead and removed again between the two looks.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if take(folder, number, Contents::of(&bytes))?.is_break() {
                break;
            }
        }
    }
    Ok(())
}

/// No operation takes that long from its start to its record.
const LATEST_US: i64 = 3_600_000_000;

/// The same for the segments that may hold a record of an operation that started then, as far as clocks can be
/// trusted: the last one begun before, and those begun soon after.
pub fn newest_first_around(
    folders: &[Folder],
    started_us: i64,
    mut take: impl FnMut(&Folder, u64, Contents<'_>) -> io::Result<()>,
) -> io::Result<()> {
    for folder in folders {
        for number in folder.numbers()?.into_iter().rev() {
            let path = folder.segment(number);
            let Some(begun_us) = begun(&path)? else { continue };
            if begun_us > started_us + LATEST_US {
                continue;
            }
            take(folder, number, Contents::of(&std::fs::read(&path)?))?;
            if begun_us < started_us {
                break;
            }
        }
    }
    Ok(())
}

/// The same for all operations that started in a time. A segment whose header cannot be read is looked into: it may
/// hold what is looked for.
pub fn newest_first_within(
    folders: &[Folder],
    (from_us, until_us): (i64, i64),
    mut take: impl FnMut(&Folder, u64, Contents<'_>) -> io::Result<()>,
) -> io::Result<()> {
    for folder in folders {
        for number in folder.numbers()?.into_iter().rev() {
            let path = folder.segment(number);
            let begun_us = match begun(&path) {
                Ok(begun_us) => begun_us,
                // Made ahead and removed again between the two looks.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if begun_us.is_some_and(|begun_us| begun_us > until_us.saturating_add(LATEST_US)) {
                continue;
            }
            take(folder, number, Contents::of(&std::fs::read(&path)?))?;
            if begun_us.is_some_and(|begun_us| begun_us < from_us) {
                break;
            }
        }
    }
    Ok(())
}

/// When a segment came into use; `None` for one that has not, and for a damaged header.
fn begun(path: &Path) -> io::Result<Option<i64>> {
    /// A header is smaller.
    const BEGINNING: u64 = 4096;
    let mut bytes = Vec::new();
    File::open(path)?.take(BEGINNING).read_to_end(&mut bytes)?;
    let Some(Piece::Frame(frame)) = Scan::segment(&bytes).next() else { return Ok(None) };
    let header: Result<SegmentHeader, Error> = minicbor::decode(frame.payload);
    Ok(header.ok().map(|header| header.created_us))
}
