//! Finding records again, whatever their ids tell about time.

use super::*;
use crate::audit::reader::{Reader, reading};

#[test]
fn every_record_is_found_by_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::standing_at(NOW);
    let opened = AuditLog::open(Options { segment_bytes: 4096, clock: clock.clone(), ..options(dir.path()) });
    let log = opened.unwrap().0;
    let mut ids = Vec::new();
    for number in 0..60 {
        clock.advance(time::Duration::minutes(10));
        let millis = clock.now().unix_timestamp() as u64 * 1_000;
        let id = match number % 3 {
            0 => Uuid::from_u128(number), // tells no time
            1 => uuid::Builder::from_unix_timestamp_millis(millis, &[number as u8; 10]).into_uuid(),
            // A clock that was two hours ahead: not where its time says.
            _ => uuid::Builder::from_unix_timestamp_millis(millis + 7_200_000, &[number as u8; 10]).into_uuid(),
        };
        log.commit_blocking(Record { id, ..record(number) }).unwrap();
        ids.push(id);
    }
    let who = record(1).who;
    let sent = reading(Uuid::from_u128(999), 0, who, Why::default(), "test", &serde_json::json!({ "secret": 1 }));
    let receipt = log.commit_blocking(sent).unwrap();
    assert!(receipt.segment > 3, "spread over segments");
    let reader = Reader::new(&receipt, dir.path(), log.keys());
    for id in ids {
        let entry = reader.find(id).unwrap().expect("found");
        assert_eq!((entry.record.id, entry.shape), (id, Some(shape())));
        assert_eq!(entry.document.as_deref(), Some("query { parcels { parcelNo } }"));
    }
    assert!(reader.find(Uuid::from_u128(4711)).unwrap().is_none());
    let latest = reader.last(4, |record, _| record.kind == Kind::Query).unwrap();
    assert_eq!(latest.entries.len(), 4);
    assert!(latest.losses.is_empty());
    let own = reader.find(receipt.id).unwrap().expect("the reading is a record");
    assert_eq!(reader.secrets(&own).unwrap().variables.as_deref(), Some(r#"{"secret":1}"#));
}

#[test]
fn the_records_of_a_time_are_all_there() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::standing_at(NOW);
    let opened = AuditLog::open(Options { segment_bytes: 4096, clock: clock.clone(), ..options(dir.path()) });
    let log = opened.unwrap().0;
    let mut begun = Vec::new();
    for number in 0..60 {
        clock.advance(time::Duration::minutes(10));
        // Half an hour passes from the start of every other operation to its record.
        let late = if number % 2 == 0 { 1_800 } else { 0 };
        let started_us = (clock.now().unix_timestamp() - late) * 1_000_000;
        log.commit_blocking(Record { started_us, ..record(number) }).unwrap();
        begun.push((started_us, Uuid::from_u128(number)));
    }
    let who = record(1).who;
    let sent = reading(Uuid::from_u128(999), 0, who, Why::default(), "test", &serde_json::json!({}));
    let receipt = log.commit_blocking(sent).unwrap();
    assert!(receipt.segment > 3, "spread over segments");
    let reader = Reader::new(&receipt, dir.path(), log.keys());
    let within = |span: (i64, i64)| {
        let mut found = Vec::new();
        let unreadable = reader.within(span, |record| record.kind == Kind::Query, |entry| found.push(entry)).unwrap();
        assert_eq!(unreadable, 0);
        assert!(found.iter().all(|entry| entry.shape == Some(shape())));
        let mut found: Vec<Uuid> = found.into_iter().map(|entry| entry.record.id).collect();
        found.sort_unstable();
        found
    };
    begun.sort_unstable();
    for (first, last) in [(0, 59), (20, 40), (7, 8), (33, 33)] {
        let span = (begun[first].0, begun[last].0);
        let mut expected: Vec<Uuid> =
            begun.iter().filter(|(at, _)| (span.0..span.1).contains(at)).map(|(_, id)| *id).collect();
        expected.sort_unstable();
        assert_eq!(within(span), expected, "{first} to {last}");
    }
    assert_eq!(within((i64::MIN, i64::MAX)).len(), 60);
}
