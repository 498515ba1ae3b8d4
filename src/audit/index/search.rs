//! Search: by account, agency, form, case, field, row, kind and time. The index answers for what it holds, and
//! the segments for what it does not hold yet, so that an answer is complete however far the index lags.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use super::IndexError;
use super::batch::{Position, parts};
use super::tables::Tables;
use crate::audit::decode::StoredRecord;
use crate::audit::loss::Missing;
use crate::audit::marks::{Withheld, WithheldReason};
use crate::audit::read::{Contents, newest_first};
use crate::audit::reader::{Entry, Listing, Reader};
use crate::audit::record::Kind;
use crate::audit::segment::Folder;
use crate::audit::shape::Shape;
use crate::config;

/// What is looked for; everything given must hold.
#[derive(Debug, Clone, Default)]
pub struct Criteria {
    /// Account, `fire.officer`.
    pub account: Option<String>,
    /// Agency's code.
    pub agency: Option<String>,
    /// Number of the master form.
    pub form: Option<String>,
    /// Case number.
    pub case_number: Option<String>,
    /// Field that was used in any way, `Person.birthDate`.
    pub coordinate: Option<String>,
    /// Row that was touched: type and row number.
    pub row: Option<(String, i64)>,
    /// Kind of act.
    pub kind: Option<Kind>,
    /// Start of the time, microseconds since 1970 UTC.
    pub from_us: Option<i64>,
    /// End of the time, exclusive.
    pub until_us: Option<i64>,
    /// At most so many, the latest.
    pub limit: usize,
}

/// Where the index says that a record stands.
#[derive(Debug, Clone)]
pub struct Place {
    pub(super) entry: i64,
    pub(super) record_id: String,
    pub(super) segment: u64,
    /// Why the answer did not leave, and after how many microseconds.
    pub(super) withheld: Option<(WithheldReason, u64)>,
}

impl Criteria {
    /// Whether a record is looked for.
    fn matches(&self, record: &StoredRecord, contents: &Contents<'_>, reader: &Reader) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        is(&self.account, Some(&record.who.account))
            && is(&self.agency, Some(&record.who.agency))
            && is(&self.form, record.why.form.as_deref())
            && self.kind.is_none_or(|kind| kind == record.kind)
            && self.from_us.is_none_or(|from| record.started_us >= from)
            && self.until_us.is_none_or(|until| record.started_us < until)
            && self.matches_case(record, reader)
            && (self.coordinate.is_none() && self.row.is_none() || self.matches_shape(record, contents))
    }

    fn matches_case(&self, record: &StoredRecord, reader: &Reader) -> bool {
        self.case_number.as_ref().is_none_or(|wanted| {
            let found = reader.open_sealed(record).ok().and_then(|secrets| secrets.case_number);
            found.is_some_and(|found| found.trim() == wanted.trim())
        })
    }

    fn matches_shape(&self, record: &StoredRecord, contents: &Contents<'_>) -> bool {
        let blob = record.asked.as_ref().and_then(|asked| contents.blobs.get(&asked.shape));
        let Some(shape) = blob.and_then(|bytes| Shape::from_bytes(bytes).ok()) else { return false };
        let uses_field = self.coordinate.as_ref().is_none_or(|wanted| {
            shape.rectangles.iter().any(|rectangle| {
                let owner = |of: &Option<String>| of.clone().unwrap_or_else(|| rectangle.type_name.clone());
                rectangle.columns.iter().any(|c| format!("{}.{}", owner(&c.of), c.field) == *wanted)
            })
        });
        let touches_row = self.row.as_ref().is_none_or(|(type_name, row)| {
            record.touched.iter().any(|touched| {
                let rectangle = shape.rectangles.get(usize::from(touched.rectangle));
                rectangle.is_some_and(|r| r.type_name == *type_name && r.dataset.is_some())
                    && touched.rows.iter().any(|number| number == *row)
            })
        });
        uses_field && touches_row
    }
}

/// Searches. Without a reachable index every segment is read.
pub async fn search(
    reader: &Reader,
    control: Option<&config::Control>,
    criteria: &Criteria,
) -> Result<Listing, IndexError> {
    let (positions, places) = match control {
        Some(control) => from_index(reader, control, criteria).await?,
        None => (Vec::new(), Vec::new()),
    };
    let indexed: HashMap<&str, u64> = positions.iter().map(|at| (at.node.as_str(), at.last_seq)).collect();
    let begun: HashMap<&str, u64> = positions.iter().map(|at| (at.node.as_str(), at.segment)).collect();

    let mut listing = Listing::default();
    let mut marks = HashMap::new();
    let between = newest_first(&Folder::all(reader.dir())?, |folder, segment, contents| {
        if segment < begun.get(folder.node()).copied().unwrap_or(0) {
            return Ok(ControlFlow::Break(()));
        }
        let named = |seq: u64| (folder.node().to_owned(), seq);
        marks.extend(contents.withheld.iter().map(|(seq, mark)| (named(*seq), mark.clone())));
        let after = indexed.get(folder.node()).copied().unwrap_or(0);
        for frame in contents.records.iter().filter(|frame| frame.seq > after) {
            if let Ok(record) = contents.decode(frame)
                && criteria.matches(&record, &contents, reader)
            {
                let mark = marks.get(&named(frame.seq)).cloned();
                listing.entries.push(Entry::new(folder, segment, frame, record, &contents, mark));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    listing.losses.extend(between);
    load(reader, &positions, &places, &mut listing)?;
    listing.entries.sort_by_key(|entry| (entry.record.started_us, entry.seq));
    let surplus = listing.entries.len().saturating_sub(criteria.limit);
    listing.entries.drain(..surplus);
    Ok(listing)
}

async fn from_index(
    reader: &Reader,
    control: &config::Control,
    criteria: &Criteria,
) -> Result<(Vec<Position>, Vec<Place>), IndexError> {
    let tables = Tables::open(control).await?;
    // The position first: what is indexed in between stands in both, and is taken from the segments twice at
    // most, never missed.
    let positions = tables.positions().await?;
    let case_key = criteria.case_number.as_ref().map(|case| crate::audit::show::hex(&reader.case_key(case)));
    let places = tables.search(criteria, case_key.as_deref()).await?;
    let is_indexed = |place: &Place| {
        let (node, seq) = parts(place.entry);
        positions.iter().any(|position| position.id == node && seq <= position.last_seq)
    };
    let places = places.into_iter().filter(is_indexed).collect();
    Ok((positions, places))
}

/// Reads the places' records, each segment once.
fn load(reader: &Reader, positions: &[Position], places: &[Place], listing: &mut Listing) -> std::io::Result<()> {
    let mut by_segment: BTreeMap<(i64, u64), HashMap<u64, &Place>> = BTreeMap::new();
    for place in places {
        let (node, seq) = parts(place.entry);
        by_segment.entry((node, place.segment)).or_default().insert(seq, place);
    }
    for ((node, segment), wanted) in by_segment {
        let Some(position) = positions.iter().find(|position| position.id == node) else { continue };
        let folder = Folder::new(reader.dir(), &position.node);
        // What the index knows of a segment that is gone, or cannot be read, is told below.
        let bytes = std::fs::read(folder.segment(segment)).unwrap_or_default();
        let contents = Contents::of(&bytes);
        let gaps = contents.gaps.iter().filter(|gap| gap.was_durable);
        listing.losses.extend(gaps.map(|gap| Missing::Within { segment, gap: *gap }.of(&folder)));
        let mut records = wanted.len();
        for frame in &contents.records {
            let (Some(place), Ok(record)) = (wanted.get(&frame.seq), contents.decode(frame)) else { continue };
            // A segment that was put in another's place holds other records under the same numbers.
            if record.id.to_string() != place.record_id {
                continue;
            }
            records -= 1;
            let (seq, id) = (frame.seq, record.id.into_bytes());
            let mark = place.withheld.map(|(reason, after_us)| Withheld { record: id, seq, reason, after_us });
            listing.entries.push(Entry::new(&folder, segment, frame, record, &contents, mark));
        }
        if records > 0 {
            listing.losses.push(Missing::Indexed { segment, records }.of(&folder));
        }
    }
    Ok(())
}
