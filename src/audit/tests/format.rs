//! The worked example of `docs/audit-format.md` is what the program writes.

use super::*;
use crate::audit::frame::{self, FrameKind};
use crate::audit::show::hex;
use crate::audit::{encode, seal::Keyring};

#[test]
fn the_documents_example_is_what_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keyring::make(dir.path(), Entropy::seeded(7)).unwrap();
    let column = |name: &str| ShapeColumn::select(name, name, ColumnOutcome::Shown);
    let shape = Shape {
        rectangles: vec![RectangleShape {
            path: "parcels".into(),
            type_name: "Parcel".into(),
            dataset: Some("land".into()),
            columns: vec![column("parcelNo"), column("areaM2")],
        }],
    };
    let mut touched = Touched::new(0);
    for row in [815, 816, 700] {
        touched.row(row);
    }
    touched.null(1, 2);
    let record = Record {
        id: Uuid::parse_str("019ab000-0000-7000-8000-00000000000a").unwrap(),
        started_us: 1_795_392_600_000_000,
        duration_us: 1_234,
        kind: Kind::Query,
        who: Who {
            account: "fire.officer".into(),
            agency: "fire".into(),
            session: None,
            client_address: Some([192, 0, 2, 7].into()),
        },
        why: Why {
            form: Some("F-1".into()),
            form_version: 2,
            sub_form: None,
            purpose: None,
            case_number: Some("115-0001".into()),
        },
        right: Right { epoch: 3, schema_hash: [7; 32] },
        asked: Some(Asked {
            strings: Default::default(),
            document: Blob::text("{ parcels { parcelNo areaM2 } }"),
            shape: shape.to_blob(),
            operation_name: None,
            variables: "".into(),
        }),
        touched: vec![touched],
        outcome: Outcome { code: None, rows: 3, bytes: 99, digest: [9; 16] },
        note: None,
    };
    let mut bytes = Vec::new();
    let payload = encode::record(&record, &keys, &[7; 32]).unwrap();
    frame::push(&mut bytes, FrameKind::Record, 5, &payload);
    let back = crate::audit::decode::record(&payload, &[7; 32]).unwrap();
    let plain = keys.unseal(record.id, back.sealed.as_ref().unwrap()).unwrap();
    let key = std::fs::read_to_string(dir.path().join("2026-11.key")).unwrap();

    let document = include_str!("../../../docs/audit-format.md");
    let digits: String = document.split_whitespace().collect();
    for (what, expected) in [
        ("frame", hex(&bytes)),
        ("shape", hex(&shape.to_blob().bytes)),
        ("key", key.trim().to_owned()),
        ("secret", hex(&plain)),
    ] {
        assert!(digits.contains(&expected), "the {what} of the example must read\n{expected}");
    }
}
