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
    assert!(latest.gaps.is_empty());
    let own = reader.find(receipt.id).unwrap().expect("the reading is a record");
    assert_eq!(reader.secrets(&own).unwrap().variables.as_deref(), Some(r#"{"secret":1}"#));
}
