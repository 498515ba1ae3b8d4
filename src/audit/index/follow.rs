//! Reads the segments of every node from where the index ends, in small pieces, no further than is durable.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::batch::{Batch, Position};
use super::tables::{Tables, claim};
use super::{IndexError, Source};
use crate::audit::decode;
use crate::audit::frame::{self, Found, Frame, FrameKind, MAGIC};
use crate::audit::marks::{BlobMark, End, Withheld};
use crate::audit::read::Contents;
use crate::audit::scan::{Piece, Scan};
use crate::audit::segment::Folder;
use crate::audit::shape::Shape;
use crate::audit::state::Durable;

/// Bytes read at a time; a larger frame is read whole.
const PIECE: usize = 256 << 10;
/// Index rows in one transaction: few, so that others who write to the database hardly wait.
const ROWS: usize = 512;
/// Shapes kept decoded.
const SHAPES: usize = 10_000;

/// Reads on from the index's positions.
pub struct Follower {
    source: Source,
    positions: HashMap<String, Position>,
    /// What was wrong with nodes that could not be read.
    passed_over: HashMap<String, String>,
    shapes: HashMap<[u8; 32], Arc<Shape>>,
    indexed_shapes: HashSet<[u8; 32]>,
}

impl Follower {
    pub async fn new(source: Source, tables: &mut Tables) -> Result<Follower, IndexError> {
        let positions = tables.positions().await?;
        Ok(Follower {
            source,
            positions: positions.into_iter().map(|position| (position.node.clone(), position)).collect(),
            passed_over: HashMap::new(),
            shapes: HashMap::new(),
            indexed_shapes: HashSet::new(),
        })
    }

    /// Takes a number in the index for each node that has none yet.
    pub async fn claim(&mut self, tables: &Tables) -> Result<(), IndexError> {
        for folder in Folder::all(&self.source.dir)? {
            if self.positions.contains_key(folder.node()) {
                continue;
            }
            let first = match folder.numbers() {
                Ok(numbers) => numbers.first().copied(),
                Err(error) => {
                    self.pass_over(&folder, &error);
                    continue;
                }
            };
            let Some(first) = first else { continue };
            let id = claim(tables.db(), folder.node(), folder.log_id().as_deref()).await?;
            let node = folder.node().to_owned();
            let position = Position { id, node: node.clone(), segment: first, offset: 0, last_seq: 0 };
            self.positions.insert(node, position);
        }
        Ok(())
    }

    /// The next batch, or `None` when everything durable is indexed. The position moves on at once: after a
    /// batch that could not be applied, start again from the tables.
    pub fn next(&mut self, durable: Option<Durable>) -> Result<Option<Batch>, IndexError> {
        for folder in Folder::all(&self.source.dir)? {
            let durable = durable.filter(|_| folder.node() == self.source.node);
            match self.next_of(&folder, durable) {
                Ok(Some(batch)) => return Ok(Some(batch)),
                Ok(None) => {}
                Err(error) => self.pass_over(&folder, &error),
            }
        }
        Ok(None)
    }

    /// A node that cannot be read holds up no other. It is tried again each time, and told of once.
    fn pass_over(&mut self, folder: &Folder, error: &io::Error) {
        let told = self.passed_over.insert(folder.node().to_owned(), error.to_string());
        if told.as_ref() != Some(&error.to_string()) {
            let (node, path) = (folder.node(), folder.path().display());
            tracing::error!(node, %path, %error, "the index passes over a node that it cannot read; give it the right to");
        }
    }

    fn next_of(&mut self, folder: &Folder, durable: Option<Durable>) -> io::Result<Option<Batch>> {
        let position = match self.positions.get(folder.node()) {
            Some(position) => position.clone(),
            None => return Ok(None), // it is claimed first
        };
        let mut batch = Batch::new(position);
        loop {
            let is_more = self.read_on(folder, durable, &mut batch)?;
            if is_more && batch.rows() < ROWS {
                continue;
            }
            let has_moved = self.positions.get(folder.node()) != Some(&batch.position);
            self.positions.insert(folder.node().to_owned(), batch.position.clone());
            return Ok(has_moved.then_some(batch));
        }
    }

    /// Takes one piece of a segment into the batch; false when nothing more is durable.
    fn read_on(&mut self, folder: &Folder, durable: Option<Durable>, batch: &mut Batch) -> io::Result<bool> {
        let segment = batch.position.segment;
        let mut file = match File::open(folder.segment(segment)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return next_segment(folder, batch),
            Err(error) => return Err(error),
        };
        // Not by the file's metadata: whoever asks for its times makes the committer's next sync dearer (`disk`).
        let length = file.seek(SeekFrom::End(0))?;
        let end = match durable {
            Some(durable) if durable.segment == segment => durable.offset.min(length),
            Some(durable) if durable.segment < segment => return Ok(false),
            _ => length,
        };
        let mut wanted = PIECE;
        loop {
            let from = batch.position.offset;
            if from > end {
                tracing::error!(node = folder.node(), segment, from, end, "the segment is shorter than it was indexed");
                return next_segment(folder, batch);
            }
            let bytes = read_at(&file, from, end, wanted)?;
            let is_all = bytes.len() < wanted;
            let taken = self.take_frames(folder, &bytes, batch)?;
            if taken > 0 {
                return Ok(true);
            }
            if !is_all {
                // Not one whole frame: it is larger than the piece, or damage stands here.
                wanted *= 8;
                continue;
            }
            // At the end, or at damage: a later whole frame tells.
            let next = Scan::from(&bytes, from, batch.position.last_seq).find_map(|piece| match piece {
                Piece::Frame(frame) => Some(frame.offset),
                Piece::Gap(_) => None,
            });
            if let Some(offset) = next {
                tracing::error!(node = folder.node(), segment, from, offset, "the index passes over damage");
                batch.position.offset = offset;
                return Ok(true);
            }
            // Whoever writes a segment ends it before the next one begins.
            return next_segment(folder, batch);
        }
    }

    /// Takes whole frames from the beginning of `bytes`, up to a batch's worth; returns how many.
    fn take_frames(&mut self, folder: &Folder, bytes: &[u8], batch: &mut Batch) -> io::Result<usize> {
        let (mut at, mut taken) = (0, 0);
        if batch.position.offset == 0 && bytes.starts_with(MAGIC) {
            at = MAGIC.len();
        }
        let start = batch.position.offset;
        while batch.rows() < ROWS {
            let Found::Frame(frame) = frame::read(bytes, at, start + at as u64) else { break };
            self.take(folder, &frame, batch)?;
            at = (frame.end() - start) as usize;
            (batch.position.offset, batch.position.last_seq) = (frame.end(), frame.seq);
            taken += 1;
        }
        Ok(taken)
    }

    fn take(&mut self, folder: &Folder, frame: &Frame<'_>, batch: &mut Batch) -> io::Result<()> {
        let segment = batch.position.segment;
        match frame.kind {
            FrameKind::Header | FrameKind::Checkpoint => {}
            FrameKind::Blob => {
                let blob: BlobMark = minicbor::decode(frame.payload).map_err(io::Error::other)?;
                // A document is a blob, too: it does not decode, and nobody will ask for it.
                if let Ok(shape) = Shape::from_bytes(blob.bytes) {
                    self.keep_shape(blob.hash, shape);
                }
            }
            FrameKind::Record => match decode::record(frame.payload, &[0; 32]) {
                Ok(record) => {
                    let shape = match &record.asked {
                        Some(asked) => self.shape(folder, segment, &asked.shape)?,
                        None => None,
                    };
                    let (known, keys) = (&mut self.indexed_shapes, &self.source.keys);
                    batch.add(frame.seq, segment, record, shape.as_deref(), known, keys);
                }
                Err(error) => tracing::error!(node = folder.node(), seq = frame.seq, %error, "a record is unreadable"),
            },
            FrameKind::Withheld => {
                let mark: Withheld = minicbor::decode(frame.payload).map_err(io::Error::other)?;
                batch.withhold(&mark);
            }
            FrameKind::End => {
                let end: End = minicbor::decode(frame.payload).map_err(io::Error::other)?;
                batch.unconfirmed = end.unconfirmed_from.map(|from| (batch.position.entry(from), segment));
            }
        }
        Ok(())
    }

    fn keep_shape(&mut self, hash: [u8; 32], shape: Shape) {
        if self.shapes.len() >= SHAPES {
            self.shapes.clear();
            self.indexed_shapes.clear();
        }
        self.shapes.insert(hash, Arc::new(shape));
    }

    /// The shape of that hash; after a start in the middle of a segment it is looked up in what stands before.
    fn shape(&mut self, folder: &Folder, segment: u64, hash: &[u8; 32]) -> io::Result<Option<Arc<Shape>>> {
        if !self.shapes.contains_key(hash) {
            let bytes = std::fs::read(folder.segment(segment))?;
            let contents = Contents::of(&bytes);
            if let Some(shape) = contents.blobs.get(hash).and_then(|bytes| Shape::from_bytes(bytes).ok()) {
                self.keep_shape(*hash, shape);
            }
        }
        Ok(self.shapes.get(hash).cloned())
    }
}

/// Goes on to the next segment that is there; false when there is none yet.
fn next_segment(folder: &Folder, batch: &mut Batch) -> io::Result<bool> {
    let Some(next) = folder.numbers()?.into_iter().find(|number| *number > batch.position.segment) else {
        return Ok(false);
    };
    // The next one may have been made ahead, while the one at hand is still written.
    let mut begin = [0u8; MAGIC.len()];
    if File::open(folder.segment(next))?.read_at(&mut begin, 0)? < MAGIC.len() || begin == [0; MAGIC.len()] {
        return Ok(false);
    }
    (batch.position.segment, batch.position.offset) = (next, 0);
    Ok(true)
}

fn read_at(file: &File, from: u64, end: u64, wanted: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; end.saturating_sub(from).min(wanted as u64) as usize];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], from + filled as u64)? {
            0 => break,
            more => filled += more,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
