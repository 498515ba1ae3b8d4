//! One batch of index rows, made from records. Putting them into tables is left to `tables`.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::audit::decode::StoredRecord;
use crate::audit::marks::{Withheld, WithheldReason};
use crate::audit::seal::Keyring;
use crate::audit::shape::{ColumnOutcome, Shape};
use crate::audit::show::hex;

/// Bits of an entry number that hold the frame's number; the node's number stands above.
const SEQ_BITS: u32 = 40;

/// How far a node is indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The node's number in the index.
    pub id: i64,
    /// Its name.
    pub node: String,
    /// Segment in which to read on.
    pub segment: u64,
    /// Where in it.
    pub offset: u64,
    /// Last frame that is indexed.
    pub last_seq: u64,
}

impl Position {
    /// Number of a frame's entry.
    pub fn entry(&self, seq: u64) -> i64 {
        (self.id << SEQ_BITS) | seq as i64
    }

    /// The first entry number that belongs to another node.
    pub fn next_node(&self) -> i64 {
        (self.id + 1) << SEQ_BITS
    }
}

/// Node's number and frame's number of an entry.
pub fn parts(entry: i64) -> (i64, u64) {
    (entry >> SEQ_BITS, (entry & ((1 << SEQ_BITS) - 1)) as u64)
}

/// `release_state` of an entry whose answer left, as far as is known.
pub const RELEASED: i16 = 0;
/// `release_state` of an entry whose process stopped around that moment.
pub const UNCONFIRMED: i16 = 3;

/// `release_state` of an entry whose answer was withheld.
pub fn withheld_state(reason: WithheldReason) -> i16 {
    match reason {
        WithheldReason::Late => 1,
        WithheldReason::Abandoned => 2,
    }
}

/// The reason behind a `release_state`.
pub fn withheld_reason(state: i16) -> Option<WithheldReason> {
    [WithheldReason::Late, WithheldReason::Abandoned].into_iter().find(|reason| withheld_state(*reason) == state)
}

/// One row of `audit_entries`.
#[derive(Debug)]
pub struct EntryRow {
    pub entry: i64,
    pub segment: u64,
    pub record: StoredRecord,
    pub case_key: Option<String>,
}

/// One row of `audit_uses`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UseRow {
    pub coordinate: String,
    pub use_code: u8,
    pub outcome: u8,
    pub shape: String,
}

/// Rows of one transaction, and where they end.
#[derive(Debug)]
pub struct Batch {
    pub position: Position,
    pub entries: Vec<EntryRow>,
    /// Sorted, so that the index is written in its own order.
    pub touches: BTreeSet<(Arc<str>, i64, i64)>,
    pub uses: BTreeSet<UseRow>,
    /// Entry, state and time after which the answer was withheld.
    pub withheld: Vec<(i64, i16, i64)>,
    /// After a crash: entries from this one on, in this segment, are unconfirmed.
    pub unconfirmed: Option<(i64, u64)>,
}

impl Batch {
    pub fn new(position: Position) -> Batch {
        Batch {
            position,
            entries: Vec::new(),
            touches: BTreeSet::new(),
            uses: BTreeSet::new(),
            withheld: Vec::new(),
            unconfirmed: None,
        }
    }

    /// Rows so far, which decide when to close the batch.
    pub fn rows(&self) -> usize {
        self.entries.len() * 4 + self.touches.len() + self.withheld.len()
    }

    /// Adds a record; `known` are the shapes whose uses stand in the index already.
    pub fn add(
        &mut self,
        seq: u64,
        segment: u64,
        mut record: StoredRecord,
        shape: Option<&Shape>,
        known: &mut HashSet<[u8; 32]>,
        keys: &Keyring,
    ) {
        let entry = self.position.entry(seq);
        if let (Some(shape), Some(asked)) = (shape, &record.asked) {
            if known.insert(asked.shape) {
                self.uses.extend(uses(shape, &asked.shape));
            }
            for touched in &record.touched {
                let rectangle = shape.rectangles.get(usize::from(touched.rectangle));
                if let Some(rectangle) = rectangle.filter(|rectangle| rectangle.dataset.is_some()) {
                    let name: Arc<str> = rectangle.type_name.as_str().into();
                    self.touches.extend(touched.rows.iter().map(|row| (name.clone(), row, entry)));
                }
            }
        }
        let secrets = record.sealed.is_some().then(|| record.secrets(keys).ok()).flatten();
        let case_key = secrets.and_then(|secrets| Some(hex(&keys.case_key(&secrets.case_number?))));
        (record.touched, record.sealed) = (Vec::new(), None);
        self.entries.push(EntryRow { entry, segment, record, case_key });
    }

    /// Adds the mark of an answer that did not leave.
    pub fn withhold(&mut self, mark: &Withheld) {
        let after_us = i64::try_from(mark.after_us).unwrap_or(i64::MAX);
        self.withheld.push((self.position.entry(mark.seq), withheld_state(mark.reason), after_us));
    }
}

/// The coordinates that a shape uses, each once per use and outcome.
fn uses(shape: &Shape, hash: &[u8; 32]) -> impl Iterator<Item = UseRow> {
    let shape_hash = hex(hash);
    shape.rectangles.iter().flat_map(move |rectangle| {
        let shape_hash = shape_hash.clone();
        rectangle.columns.iter().map(move |column| UseRow {
            coordinate: format!("{}.{}", column.of.as_deref().unwrap_or(&rectangle.type_name), column.field),
            use_code: column.use_.code(),
            outcome: match column.outcome {
                ColumnOutcome::Shown => 0,
                ColumnOutcome::Masked => 1,
                ColumnOutcome::Denied => 2,
            },
            shape: shape_hash.clone(),
        })
    })
}
