//! Walks over the frames of a segment, past damage, and says what is missing. Used wherever segments are
//! read; what to do about damage is left to `recover` and to those who read.

use super::frame::{self, Found, Frame, MAGIC};

/// Walks over a piece of a segment file.
pub struct Scan<'a> {
    bytes: &'a [u8],
    base: u64,
    at: usize,
    last_seq: Option<u64>,
    found: Option<Frame<'a>>,
}

/// What the walk meets.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// A whole frame.
    Frame(Frame<'a>),
    /// Bytes that are no frames, or numbers that are missing.
    Gap(Gap),
}

/// A place where something is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Where it begins in the segment file.
    pub offset: u64,
    /// How many bytes are no frames.
    pub bytes: u64,
    /// How many frames are missing, where a later frame tells.
    pub missing: Option<u64>,
    /// The next frame is of a later batch: what stood here was durable once and has been altered or removed
    /// since. Otherwise it may be a batch that was never finished.
    pub was_durable: bool,
}

impl<'a> Scan<'a> {
    /// Walks over a whole segment file. Where it does not begin like one, that is the first gap.
    pub fn segment(bytes: &'a [u8]) -> Scan<'a> {
        let at = if bytes.starts_with(MAGIC) { MAGIC.len() } else { 0 };
        Scan { bytes, base: 0, at, last_seq: None, found: None }
    }

    /// Walks on from a frame boundary: `bytes` begin at `offset` of the file, after the frame numbered `after`.
    pub fn from(bytes: &'a [u8], offset: u64, after: u64) -> Scan<'a> {
        Scan { bytes, base: offset, at: 0, last_seq: Some(after), found: None }
    }

    /// Where the walk stands, in the file.
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Number of the last frame met; 0 before the first.
    pub fn last_seq(&self) -> u64 {
        self.last_seq.unwrap_or(0)
    }

    fn pass(&mut self, frame: Frame<'a>) -> Piece<'a> {
        self.at = (frame.end() - self.base) as usize;
        self.last_seq = Some(frame.seq);
        Piece::Frame(frame)
    }

    /// A gap up to a later frame, or up to the last byte that is not zero.
    fn gap(&mut self, next: Option<Frame<'a>>) -> Option<Piece<'a>> {
        let offset = self.offset();
        let gap = match next {
            Some(frame) => {
                self.at = (frame.offset - self.base) as usize;
                let missing = self.last_seq.map(|last| frame.seq - last - 1);
                Gap { offset, bytes: frame.offset - offset, missing, was_durable: frame.batch > offset }
            }
            None => {
                let bytes = self.bytes[self.at..].iter().rposition(|byte| *byte != 0)? as u64 + 1;
                self.at = self.bytes.len();
                Gap { offset, bytes, missing: None, was_durable: false }
            }
        };
        self.found = next;
        Some(Piece::Gap(gap))
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if let Some(frame) = self.found.take() {
            return Some(self.pass(frame));
        }
        let last_seq = self.last_seq();
        match frame::read(self.bytes, self.at, self.offset()) {
            Found::Frame(frame) if self.last_seq.is_none_or(|last| frame.seq == last + 1) => Some(self.pass(frame)),
            Found::Frame(frame) if frame.seq > last_seq => {
                // Whole, but not the next: frames were taken out, and what was taken out had been durable.
                self.found = Some(frame);
                let missing = Some(frame.seq - last_seq - 1);
                Some(Piece::Gap(Gap { offset: self.offset(), bytes: 0, missing, was_durable: true }))
            }
            Found::Nothing if self.bytes.get(self.at..).unwrap_or_default().iter().all(|byte| *byte == 0) => None,
            Found::Frame(_) | Found::Nothing | Found::Bad => {
                let next = frame::find_next(self.bytes, self.at + 1, self.base, last_seq);
                self.gap(next)
            }
        }
    }
}
