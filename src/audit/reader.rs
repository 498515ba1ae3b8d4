//! Reading the log for people. A [`Reader`] is had only for the receipt of a record that says who reads what:
//! no reading without its own record.

use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use super::decode::{Secrets, StoredRecord};
use super::frame::Frame;
use super::loss::{Loss, Missing};
use super::marks::Withheld;
use super::read::{Contents, Release, newest_first, newest_first_within};
use super::record::{Asked, Kind, Outcome, Record, Right, Who, Why};
use super::scan::Gap;
use super::seal::{Keyring, SealError};
use super::segment::Folder;
use super::shape::{Blob, Shape};
use super::state::Receipt;

/// Leave to read the log.
pub struct Reader {
    dir: PathBuf,
    keys: Arc<Keyring>,
}

/// A record with what is needed to understand it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The node that wrote it.
    pub node: String,
    /// The segment it stands in.
    pub segment: u64,
    /// Number of its frame.
    pub seq: u64,
    /// The record.
    pub record: StoredRecord,
    /// The document's text, if its blob is readable.
    pub document: Option<String>,
    /// The shape, if its blob is readable.
    pub shape: Option<Shape>,
    /// Whether the answer left.
    pub release: Release,
}

/// Records, and what could not be read on the way.
#[derive(Debug, Default)]
pub struct Listing {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// Places where records are missing. Batches that a server is just writing do not count.
    pub losses: Vec<Loss>,
}

/// The record of a reading: `what` is the act (`audit expand`), `arguments` its JSON, which is sealed.
pub fn reading(id: Uuid, now_us: i64, who: Who, why: Why, what: &str, arguments: &serde_json::Value) -> Record {
    Record {
        id,
        started_us: now_us,
        duration_us: 0,
        kind: Kind::AuditRead,
        who,
        why,
        right: Right { epoch: 0, schema_hash: [0; 32] },
        asked: Some(Asked {
            document: Blob::text(what),
            strings: Arc::default(),
            shape: Shape::default().to_blob(),
            operation_name: None,
            variables: arguments.to_string().into(),
        }),
        touched: Vec::new(),
        outcome: Outcome::default(),
        note: None,
    }
}

impl Reader {
    /// Opens the log in `dir` for the one whose reading was recorded under `receipt`.
    pub fn new(receipt: &Receipt, dir: &Path, keys: Arc<Keyring>) -> Reader {
        tracing::debug!(reading = %receipt.id, "the audit log is read");
        Reader { dir: dir.to_owned(), keys }
    }

    /// Opens the sealed part of a record.
    pub fn secrets(&self, entry: &Entry) -> Result<Secrets, SealError> {
        self.open_sealed(&entry.record)
    }

    /// Opens the sealed part of a record that is still being looked at.
    pub(super) fn open_sealed(&self, record: &StoredRecord) -> Result<Secrets, SealError> {
        record.secrets(&self.keys)
    }

    /// The digest by which the index knows a case.
    pub fn case_key(&self, case_number: &str) -> [u8; 16] {
        self.keys.case_key(case_number)
    }

    /// Where segments are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The latest records of all nodes that `wants` says yes to, at most `count`. Walks back from the end
    /// and calls `wants` with each record and its shape.
    pub fn last(
        &self,
        count: usize,
        mut wants: impl FnMut(&StoredRecord, &Contents<'_>) -> bool,
    ) -> io::Result<Listing> {
        let mut listing = Listing::default();
        let mut marks = HashMap::new();
        let mut found_in: HashMap<String, usize> = HashMap::new();
        let between = newest_first(&Folder::all(&self.dir)?, |folder, segment, contents| {
            let is_last = contents.end.is_none();
            let gaps = contents.gaps.iter().filter(|gap| gap.was_durable || !is_last);
            listing.losses.extend(gaps.map(|gap| Missing::Within { segment, gap: *gap }.of(folder)));
            marks.extend(contents.withheld.iter().map(|(seq, mark)| ((folder.node().to_owned(), *seq), mark.clone())));
            let found = found_in.entry(folder.node().to_owned()).or_default();
            for frame in contents.records.iter().rev() {
                if *found == count {
                    return Ok(ControlFlow::Break(()));
                }
                let Ok(record) = contents.decode(frame) else { continue }; // counted below
                if wants(&record, &contents) {
                    let mark = marks.get(&(folder.node().to_owned(), frame.seq)).cloned();
                    listing.entries.push(Entry::new(folder, segment, frame, record, &contents, mark));
                    *found += 1;
                }
            }
            let unreadable = contents.records.iter().filter(|frame| contents.decode(frame).is_err());
            listing.losses.extend(unreadable.map(|frame| {
                let bytes = frame.end() - frame.offset;
                let gap = Gap { offset: frame.offset, bytes, missing: Some(1), was_durable: true };
                Missing::Within { segment, gap }.of(folder)
            }));
            Ok(ControlFlow::Continue(()))
        })?;
        listing.losses.extend(between);
        listing.entries.sort_by_key(|entry| (entry.record.started_us, entry.seq));
        let surplus = listing.entries.len().saturating_sub(count);
        listing.entries.drain(..surplus);
        Ok(listing)
    }

    /// Hands on the records of a time, its end exclusive, that `wants` says yes to, one segment after another. How many
    /// places could not be read on the way.
    pub fn within(
        &self,
        (from_us, until_us): (i64, i64),
        mut wants: impl FnMut(&StoredRecord) -> bool,
        mut take: impl FnMut(Entry),
    ) -> io::Result<usize> {
        let (mut marks, mut unreadable) = (HashMap::new(), 0);
        let span = (from_us, until_us.saturating_sub(1));
        let between = newest_first_within(&Folder::all(&self.dir)?, span, |folder, segment, contents| {
            let is_last = contents.end.is_none();
            unreadable += contents.gaps.iter().filter(|gap| gap.was_durable || !is_last).count();
            marks.extend(contents.withheld.iter().map(|(seq, mark)| ((folder.node().to_owned(), *seq), mark.clone())));
            for frame in &contents.records {
                let Ok(record) = contents.decode(frame) else {
                    unreadable += 1;
                    continue;
                };
                if (from_us..until_us).contains(&record.started_us) && wants(&record) {
                    let mark = marks.get(&(folder.node().to_owned(), frame.seq)).cloned();
                    take(Entry::new(folder, segment, frame, record, &contents, mark));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(unreadable + between.len())
    }

    /// What is missing in the whole log, as far as the ends of its segments tell.
    pub fn losses(&self) -> io::Result<Vec<Loss>> {
        newest_first_within(&Folder::all(&self.dir)?, (i64::MIN, i64::MAX), |_, _, _| Ok(ControlFlow::Break(())))
    }

    /// The record of that id: first where the time in the id says, then everywhere.
    pub fn find(&self, id: Uuid) -> io::Result<Option<Entry>> {
        let folders = Folder::all(&self.dir)?;
        let mut search = Search { id, marks: HashMap::new(), found: None };
        let started_us = id.get_timestamp().map(|at| at.to_unix()).and_then(|(seconds, nanos)| {
            i64::try_from(seconds).ok()?.checked_mul(1_000_000)?.checked_add(i64::from(nanos) / 1_000)
        });
        if let Some(started_us) = started_us {
            newest_first_within(&folders, (started_us, started_us), |folder, segment, contents| {
                search.look(folder, segment, &contents)?;
                Ok(ControlFlow::Continue(()))
            })?;
        }
        if search.found.is_none() {
            newest_first(&folders, |folder, segment, contents| {
                search.look(folder, segment, &contents)?;
                Ok(if search.found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })?;
        }
        Ok(search.found)
    }
}

/// One record is looked for, from the newest segment back.
struct Search {
    id: Uuid,
    marks: HashMap<(String, u64), Withheld>,
    found: Option<Entry>,
}

impl Search {
    fn look(&mut self, folder: &Folder, segment: u64, contents: &Contents<'_>) -> io::Result<()> {
        let named = |seq: u64| (folder.node().to_owned(), seq);
        self.marks.extend(contents.withheld.iter().map(|(seq, mark)| (named(*seq), mark.clone())));
        if let (None, Some(frame)) = (&self.found, contents.find(self.id)) {
            let record = contents.decode(frame).map_err(io::Error::other)?;
            let mark = self.marks.get(&named(frame.seq)).cloned();
            self.found = Some(Entry::new(folder, segment, frame, record, contents, mark));
        }
        Ok(())
    }
}

impl Entry {
    /// Puts a record together with its document, shape and mark; `mark` from a later segment, if there is one.
    pub(super) fn new(
        folder: &Folder,
        segment: u64,
        frame: &Frame<'_>,
        record: StoredRecord,
        contents: &Contents<'_>,
        mark: Option<Withheld>,
    ) -> Entry {
        let blob = |hash: &[u8; 32]| contents.blobs.get(hash).copied();
        let document = record.asked.as_ref().and_then(|asked| blob(&asked.document));
        let shape = record.asked.as_ref().and_then(|asked| Shape::from_bytes(blob(&asked.shape)?).ok());
        Entry {
            node: folder.node().to_owned(),
            segment,
            seq: frame.seq,
            document: document.map(|text| String::from_utf8_lossy(text).into_owned()),
            shape,
            release: mark.map_or_else(|| contents.release(frame.seq), Release::Withheld),
            record,
        }
    }
}
