//! Reads whole segments back, also while a server writes them: records, blobs, marks, and what is missing.
//! Which records are wanted is left to `show`, `search` and `index`.

use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;

use minicbor::decode::Error;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::chain::Chain;
use super::decode::{self, StoredRecord};
use super::frame::{Frame, FrameKind};
use super::loss::{Loss, Missing};
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

/// Calls `take` with every segment of every node, newest first; a node is left when it says so. What is missing between
/// segments, and what cannot be read at all.
pub fn newest_first(
    folders: &[Folder],
    take: impl FnMut(&Folder, u64, Contents<'_>) -> io::Result<ControlFlow<()>>,
) -> io::Result<Vec<Loss>> {
    newest_first_within(folders, (i64::MIN, i64::MAX), take)
}

/// The same for the segments that may hold an operation that started in a time, its end inclusive.
pub fn newest_first_within(
    folders: &[Folder],
    span_us: (i64, i64),
    mut take: impl FnMut(&Folder, u64, Contents<'_>) -> io::Result<ControlFlow<()>>,
) -> io::Result<Vec<Loss>> {
    let mut losses = Vec::new();
    for folder in folders {
        let chain = Chain::read(folder);
        losses.extend(chain.losses(folder, span_us));
        for number in chain.within(span_us).into_iter().rev() {
            let bytes = match std::fs::read(folder.segment(number)) {
                Ok(bytes) => bytes,
                Err(error) => {
                    losses.push(
                        Missing::Unreadable { path: folder.segment(number), error: error.to_string() }.of(folder),
                    );
                    continue;
                }
            };
            if take(folder, number, Contents::of(&bytes))?.is_break() {
                break;
            }
        }
    }
    Ok(losses)
}
