//! Frames, the unit of a segment file: a fixed header with length, checksum and gap-free number, then CBOR.
//! What the payloads mean is left to `encode`; where frames go is left to `segment`.
//!
//! ```text
//! 0  length of the payload, u32 little-endian; never 0
//! 4  CRC-32 (IEEE) over bytes 0..4, 8..24 and the payload, u32
//! 8  number of the frame in its node's log, gap-free from 1, u64
//! 16 distance in bytes from the start of its batch, u32
//! 20 kind, u8; then three zero bytes
//! 24 payload
//! ```
//!
//! The distance tells a torn tail from damage: frames of one batch were written and synced together, so a
//! bad spot before the start of a later batch was once durable and has been altered since.

/// Bytes before the payload.
pub const HEADER: usize = 24;

/// First bytes of every segment file; tells people and `file` what this is.
pub const MAGIC: &[u8; 16] = b"cityquery-audit\n";

/// What a frame holds. The numbers stand in the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// First frame of a segment.
    Header = 1,
    /// A document or a shape, known by its hash.
    Blob = 2,
    /// A record.
    Record = 3,
    /// The answer of an earlier record was not released.
    Withheld = 4,
    /// Place of the Merkle log's checkpoints; not written yet.
    Checkpoint = 5,
    /// Nothing follows in this segment.
    End = 6,
}

impl FrameKind {
    fn from_code(code: u8) -> Option<FrameKind> {
        use FrameKind::*;
        [Header, Blob, Record, Withheld, Checkpoint, End].into_iter().find(|kind| *kind as u8 == code)
    }
}

/// A frame whose checksum is right.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// What it holds.
    pub kind: FrameKind,
    /// Its number in the node's log.
    pub seq: u64,
    /// Where it begins in the segment file.
    pub offset: u64,
    /// Where its batch begins in the segment file.
    pub batch: u64,
    /// CBOR.
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Where the next frame begins.
    pub fn end(&self) -> u64 {
        self.offset + (HEADER + self.payload.len()) as u64
    }
}

/// What stands at an offset.
#[derive(Debug)]
pub enum Found<'a> {
    /// A whole frame.
    Frame(Frame<'a>),
    /// Nothing but zeros, or the end of the file: nothing was written here.
    Nothing,
    /// Something that is no whole frame.
    Bad,
}

/// Appends a frame to a batch that begins where `batch` begins.
pub fn push(batch: &mut Vec<u8>, kind: FrameKind, seq: u64, payload: &[u8]) {
    let back = batch.len() as u32; // a batch is bounded far below 4 GiB by the committer
    let mut header = [0u8; HEADER];
    header[0..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    header[8..16].copy_from_slice(&seq.to_le_bytes());
    header[16..20].copy_from_slice(&back.to_le_bytes());
    header[20] = kind as u8;
    let crc = checksum(&header, payload);
    header[4..8].copy_from_slice(&crc.to_le_bytes());
    batch.extend_from_slice(&header);
    batch.extend_from_slice(payload);
}

/// Looks for a frame at `offset` of the segment, which is `at` of `bytes`.
pub fn read(bytes: &[u8], at: usize, offset: u64) -> Found<'_> {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some(header) = rest.first_chunk::<HEADER>() else {
        return if rest.iter().all(|byte| *byte == 0) { Found::Nothing } else { Found::Bad };
    };
    if header.iter().all(|byte| *byte == 0) {
        return Found::Nothing;
    }
    let length = u32_at(header, 0) as usize;
    let back = u64::from(u32_at(header, 16));
    let (Some(kind), Some(payload)) = (FrameKind::from_code(header[20]), rest.get(HEADER..HEADER + length)) else {
        return Found::Bad;
    };
    if length == 0 || back > offset || header[21..24] != [0; 3] || checksum(header, payload) != u32_at(header, 4) {
        return Found::Bad;
    }
    Found::Frame(Frame { kind, seq: seq_of(header), offset, batch: offset - back, payload })
}

/// Looks for the next whole frame after damage: its number must be one that can follow `after`.
pub fn find_next(bytes: &[u8], from: usize, base: u64, after: u64) -> Option<Frame<'_>> {
    /// More frames than the largest segment holds; keeps chance hits away from the checksum.
    const REACH: u64 = 1 << 28;
    (from..bytes.len().saturating_sub(HEADER)).find_map(|at| {
        let header = bytes[at..].first_chunk::<HEADER>()?;
        let seq = seq_of(header);
        if seq <= after || seq > after + REACH || header[21..24] != [0; 3] {
            return None;
        }
        match read(bytes, at, base + at as u64) {
            Found::Frame(frame) => Some(frame),
            Found::Nothing | Found::Bad => None,
        }
    })
}

fn checksum(header: &[u8; HEADER], payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&header[0..4]);
    crc.update(&header[8..HEADER]);
    crc.update(payload);
    crc.finalize()
}

fn u32_at(header: &[u8; HEADER], at: usize) -> u32 {
    u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

fn seq_of(header: &[u8; HEADER]) -> u64 {
    u64::from(u32_at(header, 8)) | u64::from(u32_at(header, 12)) << 32
}
