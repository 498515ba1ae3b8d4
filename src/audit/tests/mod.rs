//! Tests of the log from within: faults injected into the disk, damage done to files, packing and unpacking.

mod chain;
mod damage;
mod disk;
mod faults;
mod format;
mod lost_keys;
mod packing;
mod queue;
mod reading;
mod secrets;
mod shorter;

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::decode::StoredRecord;
use super::disk::RealDisk;
use super::log::Options;
use super::read::{Contents, Release};
use super::recover::Reach;
use super::segment::Folder;
use super::*;
use crate::config::{Clock, Entropy};

/// Ten minutes into 2026-11-23.
const NOW: time::OffsetDateTime = time::macros::datetime!(2026-11-23 00:10 UTC);

fn options(dir: &std::path::Path) -> Options {
    Options {
        dir: dir.to_owned(),
        node: SERVER.to_owned(),
        segment_bytes: 64 << 10,
        // What is asked here is not how fast this machine's disk is.
        deadline: Duration::from_secs(30),
        queue_bytes: 1 << 20,
        schema_hash: [7; 32],
        clock: Clock::standing_at(NOW),
        entropy: Entropy::seeded(1),
        disk: Arc::new(RealDisk),
        is_on: true,
        known: Reach::default(),
    }
}

fn shape() -> Shape {
    let columns = vec![
        ShapeColumn::select("parcelNo", "parcelNo", ColumnOutcome::Shown),
        ShapeColumn::select("owner", "ownerName", ColumnOutcome::Masked),
        ShapeColumn { use_: Use::Filter, ..ShapeColumn::select("where", "areaM2", ColumnOutcome::Shown) },
    ];
    let dataset = Some("land".to_owned());
    Shape { rectangles: vec![RectangleShape { path: "parcels".into(), type_name: "Parcel".into(), dataset, columns }] }
}

/// A small record; `number` makes it unlike others.
fn record(number: u128) -> Record {
    let mut touched = Touched::new(0);
    for row in 0..5 {
        touched.row(1000 + row * 3);
    }
    touched.null(1, 2);
    Record {
        id: Uuid::from_u128(number),
        started_us: 1_795_392_600_000_000 + number as i64,
        duration_us: 1_234,
        kind: Kind::Query,
        who: Who {
            account: "fire.officer".into(),
            agency: "fire".into(),
            session: Some(Uuid::from_u128(99)),
            client_address: Some([192, 0, 2, 7].into()),
        },
        why: Why {
            form: Some("F-1".into()),
            form_version: 2,
            sub_form: Some("F-1/1".into()),
            purpose: Some("inspection".into()),
            case_number: Some("CASE-MARKER-4711".into()),
        },
        right: Right { epoch: 3, schema_hash: [7; 32] },
        asked: Some(Asked {
            strings: Default::default(),
            document: Blob::text("query { parcels { parcelNo } }"),
            shape: shape().to_blob(),
            operation_name: Some("Parcels".into()),
            variables: r#"{"no":"VARIABLE-MARKER-4712"}"#.into(),
        }),
        touched: vec![touched],
        outcome: Outcome { code: None, rows: 5, bytes: 321, digest: [9; 16] },
        note: None,
    }
}

/// Every record in the node's segments, oldest first, with what is known of its answer.
fn stored(dir: &std::path::Path) -> Vec<(u64, StoredRecord, Release)> {
    let folder = Folder::new(dir, SERVER);
    let files: Vec<Vec<u8>> =
        folder.numbers().unwrap().iter().map(|number| std::fs::read(folder.segment(*number)).unwrap()).collect();
    let contents: Vec<Contents> = files.iter().map(|bytes| Contents::of(bytes)).collect();
    let mut records = Vec::new();
    for segment in &contents {
        for frame in &segment.records {
            let later = contents.iter().find_map(|other| other.withheld.get(&frame.seq));
            let release = later.map_or(segment.release(frame.seq), |mark| Release::Withheld(mark.clone()));
            records.push((frame.seq, segment.decode(frame).unwrap(), release));
        }
    }
    records
}
