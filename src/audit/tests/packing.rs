//! Packing loses nothing: what is expanded from the bytes equals what a naive per-field recording gives.

use proptest::prelude::*;

use super::*;
use crate::audit::expand::{CellOutcome, expand};
use crate::audit::{decode, encode, seal::Keyring};

/// A line of the naive recording, owned.
type Naive = (String, String, String, String, Option<i64>, &'static str, CellOutcome, Option<String>);

#[derive(Debug, Clone)]
struct Column {
    use_: Use,
    outcome: ColumnOutcome,
    of: bool,
}

/// Per rectangle: its columns, and per row its number and what became of each cell (0–9).
type Model = Vec<(Vec<Column>, Vec<(i64, Vec<u8>)>)>;

fn column() -> impl Strategy<Value = Column> {
    const OUTCOMES: [ColumnOutcome; 3] = [ColumnOutcome::Shown, ColumnOutcome::Masked, ColumnOutcome::Denied];
    let uses = prop_oneof![4 => Just(Use::Select), 1 => Just(Use::Join), 2 => proptest::sample::select(&Use::ALL[2..])];
    (uses, proptest::sample::select(&OUTCOMES[..]), any::<bool>()).prop_map(|(use_, outcome, of)| Column {
        use_,
        outcome,
        of,
    })
}

fn rectangle() -> impl Strategy<Value = (Vec<Column>, Vec<(i64, Vec<u8>)>)> {
    let number = prop_oneof![4 => 1i64..3_000_000, 1 => Just(0), 1 => any::<i64>()];
    let dense = prop_oneof![Just(0u8..10), Just(0u8..2), Just(8u8..10), Just(0u8..1)];
    (proptest::collection::vec(column(), 0..7), dense).prop_flat_map(move |(columns, cells)| {
        let row = (number.clone(), proptest::collection::vec(cells, columns.len()));
        (Just(columns), proptest::collection::vec(row, 0..60))
    })
}

/// The naive recorder: looks at every cell on its own.
fn naive(model: &Model) -> Vec<Naive> {
    let mut lines = Vec::new();
    for (index, (columns, rows)) in model.iter().enumerate() {
        for (number, column) in columns.iter().enumerate() {
            let type_name = if column.of { "Other".to_owned() } else { format!("Type{index}") };
            let mut add = |row, outcome, code: Option<String>| {
                let (field, key) = (format!("field{number}"), format!("key{number}"));
                let use_ = column.use_.name();
                lines.push((format!("path{index}"), type_name.clone(), field, key, row, use_, outcome, code));
            };
            if !column.use_.is_per_row() {
                let is_denied = column.outcome == ColumnOutcome::Denied;
                add(None, if is_denied { CellOutcome::Denied } else { CellOutcome::Used }, None);
                continue;
            }
            for (row, cells) in rows {
                let (outcome, code) = match (column.outcome, cells[number]) {
                    (ColumnOutcome::Denied, _) => (CellOutcome::Denied, None),
                    (_, 0) => (CellOutcome::Null, None),
                    (_, 1) => (CellOutcome::Error, Some("TIMEOUT".to_owned())),
                    (_, 2) => (CellOutcome::Error, Some("SOURCE_UNAVAILABLE".to_owned())),
                    (ColumnOutcome::Masked, _) => (CellOutcome::Masked, None),
                    (ColumnOutcome::Shown, _) => (CellOutcome::Shown, None),
                };
                add(Some(*row), outcome, code);
            }
        }
    }
    lines
}

/// The packing recorder: uses what `query` uses.
fn packed(model: &Model) -> (Shape, Vec<Touched>) {
    let mut shape = Shape::default();
    let mut all = Vec::new();
    for (index, (columns, rows)) in model.iter().enumerate() {
        let columns = columns.iter().enumerate().map(|(number, column)| ShapeColumn {
            key: format!("key{number}"),
            field: format!("field{number}"),
            of: column.of.then(|| "Other".to_owned()),
            use_: column.use_,
            outcome: column.outcome,
        });
        shape.rectangles.push(RectangleShape {
            path: format!("path{index}"),
            type_name: format!("Type{index}"),
            dataset: None,
            columns: columns.collect(),
        });
        let mut touched = Touched::new(index as u16);
        for (row, cells) in rows {
            let position = touched.row(*row);
            for (column, cell) in (0u16..).zip(cells) {
                match cell {
                    0 => touched.null(column, position),
                    1 => touched.error(column, &"TIMEOUT".into(), position),
                    2 => touched.error(column, &"SOURCE_UNAVAILABLE".into(), position),
                    _ => {}
                }
            }
        }
        all.push(touched);
    }
    (shape, all)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn expansion_equals_a_naive_recording(model in proptest::collection::vec(rectangle(), 0..4)) {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keyring::make(dir.path(), Entropy::seeded(1)).unwrap();
        let (shape, touched) = packed(&model);
        let blob = shape.to_blob();
        let asked = Some(Asked { shape: blob.clone(), ..record(1).asked.unwrap() });
        let bytes = encode::record(&Record { touched, asked, ..record(1) }, &keys, &[7; 32]).unwrap();
        let back = decode::record(&bytes, &[7; 32]).unwrap();
        prop_assert_eq!(back.asked.unwrap().shape, blob.hash);
        let shape = Shape::from_bytes(&blob.bytes).unwrap();
        let mut lines: Vec<Naive> = Vec::new();
        expand(&shape, &back.touched, |line| {
            let [path, type_name, field, key] = [line.path, line.type_name, line.field, line.key].map(str::to_owned);
            let code = line.code.map(str::to_owned);
            lines.push((path, type_name, field, key, line.row, line.use_, line.outcome, code));
            Ok(())
        })
        .unwrap();
        let mut expected = naive(&model);
        lines.sort();
        expected.sort();
        prop_assert_eq!(lines, expected);
    }

    /// A decoder of foreign bytes refuses; it never panics.
    #[test]
    fn foreign_bytes_are_refused(mut bytes in proptest::collection::vec(any::<u8>(), 1..200), map: bool) {
        if map {
            bytes[0] = 0xa8;
        }
        let _ = decode::record(&bytes, &[0; 32]);
    }
}

#[test]
fn every_part_of_a_record_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keyring::make(dir.path(), Entropy::seeded(1)).unwrap();
    for (kind, schema_hash) in [(Kind::Query, [7; 32]), (Kind::Other(200), [8; 32])] {
        let mut sent = Record { kind, note: Some("remark".into()), ..record(5) };
        sent.outcome.code = Some("TIMEOUT".into());
        let back = decode::record(&encode::record(&sent, &keys, &schema_hash).unwrap(), &schema_hash).unwrap();
        assert_eq!((back.id, back.started_us, back.duration_us), (sent.id, sent.started_us, sent.duration_us));
        assert_eq!((back.kind, &back.who, back.right), (sent.kind, &sent.who, sent.right));
        assert_eq!(back.why, Why { case_number: None, ..sent.why.clone() });
        assert_eq!((&back.touched, &back.outcome, &back.note), (&sent.touched, &sent.outcome, &sent.note));
        let (asked, sent_asked) = (back.asked.clone().unwrap(), sent.asked.unwrap());
        assert_eq!((asked.document, asked.shape), (sent_asked.document.hash, sent_asked.shape.hash));
        assert_eq!(asked.operation_name, sent_asked.operation_name);
        let secrets = back.secrets(&keys).unwrap();
        assert_eq!(secrets.variables.unwrap().as_bytes(), sent_asked.variables);
    }
}

#[test]
fn a_row_costs_a_byte_or_two() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keyring::make(dir.path(), Entropy::seeded(1)).unwrap();
    let size = |rows: i64| {
        let mut touched = Touched::new(0);
        (0..rows).for_each(|row| {
            touched.row(5_000_000 + row);
        });
        encode::record(&Record { touched: vec![touched], ..record(1) }, &keys, &[7; 32]).unwrap().len() as i64
    };
    assert!(size(1010) - size(10) <= 1010, "{} bytes for 1,000 neighbouring rows", size(1010) - size(10));
}

#[test]
fn kinds_and_uses_keep_their_numbers() {
    for code in 0..=255u8 {
        assert_eq!(Kind::from_code(code).code(), code);
    }
    assert_eq!(Kind::from_name("audit-read"), Some(Kind::AuditRead));
    assert_eq!((Kind::Query.code(), Kind::AuditRead.code(), Kind::Stop.code()), (1, 13, 19));
    assert_eq!(Use::ALL.map(Use::code), [0, 1, 2, 3, 4, 5, 6, 7]);
}
