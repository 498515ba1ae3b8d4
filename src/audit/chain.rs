//! Whether the segments of a node follow each other: a look at the first and the last frame of each, not at what is
//! between. So whole segments that are gone are missed without reading those that are there.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::frame::{self, Found, Frame, FrameKind};
use super::loss::{Loss, Missing};
use super::marks::{End, SegmentHeader};
use super::scan::{Piece, Scan};
use super::segment::{END_ROOM, Folder};

/// No operation takes that long from its start to its record.
const LATEST_US: i64 = 3_600_000_000;

/// A segment that has come into use, as its ends tell.
#[derive(Clone, Copy)]
struct Link {
    segment: u64,
    /// When it came into use; `None` where its header is damaged.
    begun_us: Option<i64>,
    first_seq: u64,
    last_seq: u64,
    ended_us: Option<i64>,
}

/// The segments of a node that have come into use, oldest first, and what could not even be looked at.
pub struct Chain {
    links: Vec<Link>,
    unreadable: Vec<Missing>,
}

impl Chain {
    /// Looks at every segment.
    pub fn read(folder: &Folder) -> Chain {
        let unreadable = |path: PathBuf, error: io::Error| Missing::Unreadable { path, error: error.to_string() };
        let mut chain = Chain { links: Vec::new(), unreadable: Vec::new() };
        let numbers = folder.numbers().unwrap_or_else(|error| {
            chain.unreadable.push(unreadable(folder.path().to_owned(), error));
            Vec::new()
        });
        // Newest first: a server ends a segment before it begins the next one, so that what is met as begun leaves an
        // ended one before it.
        for segment in numbers.into_iter().rev() {
            match link(folder, segment, chain.links.is_empty()) {
                Ok(link) => chain.links.extend(link),
                // Made ahead and removed again between the two looks.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => chain.unreadable.push(unreadable(folder.segment(segment), error)),
            }
        }
        chain.links.reverse();
        chain
    }

    /// What is missing between the segments, before the first of them, and at the end of each that another one follows,
    /// as far as it may concern a time.
    pub fn losses(&self, folder: &Folder, span_us: (i64, i64)) -> Vec<Loss> {
        let concerned = self.within(span_us);
        let mut missing = self.unreadable.clone();
        let (mut before, mut last_seq, mut is_ended) = (0, 0, true);
        for link in &self.links {
            let after = link.segment;
            let concerns = match before {
                0 => link.begun_us.is_none_or(|begun_us| span_us.0 <= begun_us),
                before => concerned.contains(&before),
            };
            if concerns && !is_ended {
                missing.push(Missing::End { segment: before });
            }
            if concerns && link.first_seq > last_seq + 1 {
                missing.push(Missing::Between { before, after, frames: link.first_seq - last_seq - 1 });
            }
            if concerns && link.first_seq <= last_seq {
                missing.push(Missing::Twice { before, after });
            }
            (before, last_seq, is_ended) = (link.segment, link.last_seq, link.ended_us.is_some());
        }
        missing.into_iter().map(|missing| missing.of(folder)).collect()
    }

    /// The segments that may hold a record of an operation that started in a time, its end inclusive.
    pub fn within(&self, (from_us, until_us): (i64, i64)) -> Vec<u64> {
        let may_hold = |at: &usize| {
            let Some((first, last)) = self.covers(*at) else { return true };
            last >= from_us && first <= until_us.saturating_add(LATEST_US)
        };
        (0..self.links.len()).filter(may_hold).map(|at| self.links[at].segment).collect()
    }

    /// The time that a segment covers: from its beginning to its end and to the beginning of the next one. Where the clock
    /// was set back in between, nobody knows how far it had gone before. `None` where nothing tells.
    fn covers(&self, at: usize) -> Option<(i64, i64)> {
        let begun_us = self.links[at].begun_us?;
        let later = [self.links[at].ended_us, self.links.get(at + 1).and_then(|next| next.begun_us)];
        let (earliest, latest) = (later.iter().flatten().min()?, later.iter().flatten().max()?);
        let before_us = at.checked_sub(1).and_then(|before| self.links[before].begun_us);
        // An operation may have started just before the clock was set back, and have its record after.
        let is_set_back = *earliest < begun_us || before_us.is_some_and(|before_us| begun_us < before_us);
        Some((begun_us.min(*earliest), if is_set_back { i64::MAX } else { *latest }))
    }
}

/// A look at one segment; `None` where it was made ahead.
fn link(folder: &Folder, segment: u64, is_newest: bool) -> io::Result<Option<Link>> {
    /// A header is smaller.
    const BEGINNING: u64 = 4096;
    let mut file = File::open(folder.segment(segment))?;
    let mut head = Vec::new();
    file.by_ref().take(BEGINNING).read_to_end(&mut head)?;
    let header = match Scan::segment(&head).next() {
        None => return Ok(None),
        Some(Piece::Frame(frame)) => {
            minicbor::decode(frame.payload).ok().map(|header: SegmentHeader| (header, frame.seq))
        }
        Some(Piece::Gap(_)) => None,
    };
    let begun_us = header.as_ref().map(|(header, _)| header.created_us);
    Ok(match (header, end(&mut file)?) {
        (Some((_, first_seq)), Some((last_seq, ended_us))) => {
            Some(Link { segment, begun_us, first_seq, last_seq, ended_us: Some(ended_us) })
        }
        // What is being written has no end yet, and nothing follows that it could be compared with.
        (Some((_, first_seq)), None) if is_newest => {
            Some(Link { segment, begun_us, first_seq, last_seq: first_seq, ended_us: None })
        }
        _ => whole(folder, segment)?.map(|link| Link { begun_us, ..link }),
    })
}

/// Number and time of the last frame of a segment that ended in order: it stands at the very end of the file.
fn end(file: &mut File) -> io::Result<Option<(u64, i64)>> {
    // Not by the file's metadata: whoever asks for its times makes the committer's next sync dearer (`disk`).
    let length = file.seek(SeekFrom::End(0))?;
    let base = length.saturating_sub(END_ROOM);
    let mut tail = vec![0; (length - base) as usize];
    file.read_exact_at(&mut tail, base)?;
    Ok((0..tail.len()).find_map(|at| match frame::read(&tail, at, base + at as u64) {
        Found::Frame(frame) if frame.end() == length => ended(&frame).map(|ended_us| (frame.seq, ended_us)),
        _ => None,
    }))
}

fn ended(frame: &Frame<'_>) -> Option<i64> {
    let is_end = frame.kind == FrameKind::End;
    is_end.then(|| minicbor::decode(frame.payload).ok().map(|end: End| end.at_us)).flatten()
}

/// The same by going through all of it, where one of its ends is damaged.
fn whole(folder: &Folder, segment: u64) -> io::Result<Option<Link>> {
    let bytes = std::fs::read(folder.segment(segment))?;
    let mut link = None;
    for piece in Scan::segment(&bytes) {
        let Piece::Frame(frame) = piece else { continue };
        let first_seq = link.map_or(frame.seq, |link: Link| link.first_seq);
        link = Some(Link { segment, begun_us: None, first_seq, last_seq: frame.seq, ended_us: ended(&frame) });
    }
    Ok(link)
}
