//! `cityquery audit` as people use it, while a server writes the log.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::hall::Hall;
use cityquery::audit::expand::expand;
use cityquery::audit::read::Contents;
use cityquery::audit::{
    Asked, AuditLog, Blob, COMMAND_LINE, ColumnOutcome, Kind, Options, Outcome, Record, RectangleShape, Right, SERVER,
    Shape, ShapeColumn, Touched, Use, Who, Why,
};
use cityquery::config::{self, Clock, Entropy};
use serde_json::{Value, json};
use uuid::Uuid;

fn record(number: u128) -> Record {
    let columns = vec![
        ShapeColumn::select("name", "name", ColumnOutcome::Masked),
        ShapeColumn::select("born", "birthDate", ColumnOutcome::Denied),
        ShapeColumn { use_: Use::Key, ..ShapeColumn::select("nationalId", "nationalId", ColumnOutcome::Shown) },
    ];
    let (path, type_name, dataset) = ("person".into(), "Person".into(), Some("household".into()));
    let shape = Shape { rectangles: vec![RectangleShape { path, type_name, dataset, columns }] };
    let mut touched = Touched::new(0);
    touched.row(815);
    Record {
        id: Uuid::from_u128(number),
        started_us: 1_795_392_600_000_000 + number as i64,
        duration_us: 1_500,
        kind: Kind::Query,
        who: Who { account: "fire.officer".into(), agency: "fire".into(), session: None, client_address: None },
        why: Why {
            sub_form: None,
            form: Some("F-1".into()),
            form_version: 1,
            purpose: None,
            case_number: Some("115-0001".into()),
        },
        right: Right { epoch: 1, schema_hash: [1; 32] },
        asked: Some(Asked {
            strings: Default::default(),
            document: Blob::text("query One($id: NationalId!) { person(nationalId: $id) { name born: birthDate } }"),
            shape: shape.to_blob(),
            operation_name: Some("One".into()),
            variables: r#"{"id":"A123456789"}"#.into(),
        }),
        touched: vec![touched],
        outcome: Outcome { code: None, rows: 1, bytes: 77, digest: [3; 16] },
        note: None,
    }
}

fn cityquery(dir: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cityquery"))
        .args(["audit"])
        .args(arguments)
        .current_dir(dir)
        .env("CITYQUERY__AUDIT__DIR", dir.join("audit"))
        .env("CITYQUERY__CONTROL__URL", format!("sqlite:{}", dir.join("control.db").display()))
        .output()
        .unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// What `docs/read-audit.py` makes of those segments; nothing on a machine without Python.
fn read_by_python(segments: &[PathBuf]) -> Option<Output> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/read-audit.py");
    let output = Command::new("python3").arg(script).args(segments).output();
    output.inspect_err(|error| eprintln!("SKIPPED, docs/read-audit.py was not tested: python3: {error}")).ok()
}

#[test]
fn the_log_is_shown_and_expanded_and_each_reading_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let settings = config::Audit {
        dir: dir.path().join("audit"),
        node: SERVER.to_owned(),
        segment_bytes: 1 << 20,
        deadline_ms: 5_000,
        enabled: true,
    };
    let options = Options::new(&settings, SERVER, [1; 32], Clock::system(), Entropy::system());
    let (server, _) = AuditLog::open(options).unwrap();
    for number in 1..=30 {
        server.commit_blocking(record(number)).unwrap();
    }

    let shown = lines(&cityquery(dir.path(), &["show", "--last", "3"]));
    assert_eq!(shown.len(), 4, "a heading and three records: {shown:#?}");
    // The reading itself is the latest record, so two of the server's are left.
    assert!(shown[1].contains(&Uuid::from_u128(29).to_string()) && shown[1].contains("2026-11-23 08:10:00"));
    assert!(shown[3].contains("audit-read"), "{shown:#?}");

    let id = Uuid::from_u128(7).to_string();
    let details = lines(&cityquery(dir.path(), &["show", &id])).join("\n");
    for part in
        ["fire.officer of fire", "115-0001", "A123456789", "query One", "F-1 version 1", "1 × Person (name born)"]
    {
        assert!(details.contains(part), "{part} is missing in\n{details}");
    }
    assert!(details.contains("2026-11-23T08:10:00.000007+08:00 = 2026-11-23T00:10:00.000007Z"), "{details}");
    let one: Value = serde_json::from_str(&lines(&cityquery(dir.path(), &["show", &id, "--json"]))[0]).unwrap();
    assert_eq!((&one["why"]["caseNumber"], &one["release"]), (&json!("115-0001"), &json!("released")));

    let fields = lines(&cityquery(dir.path(), &["expand", &id, "--json"]));
    let fields: Vec<Value> = fields.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let field = |field: &str, key: &str, row: Value, use_: &str, outcome: &str| json!({ "path": "person", "type": "Person", "field": field, "key": key, "row": row, "use": use_, "outcome": outcome });
    assert_eq!(
        fields,
        [
            field("nationalId", "nationalId", Value::Null, "key", "used"),
            field("name", "name", json!(815), "select", "masked"),
            field("birthDate", "born", json!(815), "select", "denied"),
        ]
    );
    // A reader that shares no code with the program says the same.
    if let Some(output) = read_by_python(&[dir.path().join("audit/server/server-0000000001.seg")]) {
        let read = lines(&output).into_iter().map(|line| serde_json::from_str::<Value>(&line).unwrap());
        let read: Vec<Value> = read.filter(|line| line["record"] == json!(id)).collect();
        let with_record = |mut line: Value| {
            line["record"] = json!(id);
            line
        };
        assert_eq!(read, fields.iter().cloned().map(with_record).collect::<Vec<_>>());
    }
    let table = lines(&cityquery(dir.path(), &["expand", &id]));
    assert!(table[2].contains("Person.name") && table[2].ends_with("masked"), "{table:#?}");

    // Found by what they say; the control database is not even there.
    for (arguments, expected) in [
        (&["search", "--row", "Person:815", "--last", "1000"][..], 30),
        (&["search", "--row", "Person:816"], 0),
        (&["search", "--field", "Person.birthDate", "--kind", "query", "--from", "2026-11-23"], 30),
        (&["search", "--case", "115-0001", "--account", "fire.officer", "--until", "2026-11-23T08:10:00+08:00"], 0),
    ] {
        assert_eq!(lines(&cityquery(dir.path(), arguments)).len(), 1 + expected, "{arguments:?}");
    }
    assert_eq!(cityquery(dir.path(), &["search", "--row", "Person"]).status.code(), Some(2));
    // A name that is mistyped is not an answer of "nobody".
    for (arguments, meant) in
        [(["--row", "person:815"], "Person"), (["--field", "Person.birthdate"], "Person.birthDate")]
    {
        let output = cityquery(dir.path(), &[&["search"][..], &arguments].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && told.contains(&format!("Did you mean \"{meant}\"?")), "{told}");
    }

    let missing = cityquery(dir.path(), &["show", &Uuid::from_u128(4711).to_string()]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("holds no record"));
    assert_eq!(cityquery(dir.path(), &["show", "not-an-id"]).status.code(), Some(2));

    // Twelve readings came to a record, each on the command line's own node, with what was read.
    let readings = lines(&cityquery(dir.path(), &["show", "--last", "1000", "--json"]));
    let readings: Vec<Value> = readings.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let readings: Vec<&Value> = readings.iter().filter(|one| one["kind"] == "audit-read").collect();
    assert_eq!(readings.len(), 13, "with the one that asks: {readings:#?}");
    assert!(readings.iter().all(|one| one["node"] == COMMAND_LINE));
    let variables: Value = serde_json::from_str(readings[1]["asked"]["variables"].as_str().unwrap()).unwrap();
    assert_eq!(variables, json!({ "record": id }));
    drop(server);
}

/// The beginning of a mutation is recorded before anything is planned: its record names the shape without rectangles. Logs
/// of the first release have an empty blob there.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_mutations_is_read_by_both() {
    let mut hall = Hall::on_sqlite().await;
    hall.found().await;
    hall.agency("fire-department", "USING").await;
    let mut old = record(2);
    old.asked.as_mut().unwrap().shape = Blob::new(Vec::new());
    old.touched.clear();
    hall.app.audit.commit(old).await.unwrap();
    hall.app.audit.commit(record(3)).await.unwrap();

    let folder = hall.app.audit.folder();
    let segments: Vec<PathBuf> = folder.numbers().unwrap().into_iter().map(|number| folder.segment(number)).collect();
    let (mut expected, mut unplanned) = (Vec::new(), 0);
    for path in &segments {
        let bytes = std::fs::read(path).unwrap();
        let contents = Contents::of(&bytes);
        for frame in &contents.records {
            let record = contents.decode(frame).unwrap();
            let Some(asked) = &record.asked else { continue };
            let shape = Shape::from_bytes(contents.blobs[&asked.shape]).expect("a shape");
            unplanned += usize::from(shape.rectangles.is_empty());
            let take = |line: cityquery::audit::Line| {
                let mut line = serde_json::to_value(line)?;
                line["record"] = json!(record.id.to_string());
                expected.push(line);
                Ok(())
            };
            expand(&shape, &record.touched, take).unwrap();
        }
    }
    assert!(unplanned >= 2 && expected.len() >= 3, "{unplanned} unplanned, {} lines", expected.len());
    let Some(output) = read_by_python(&segments) else { return };
    let read: Vec<Value> = lines(&output).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, expected);
}

/// A whole segment that is gone is missed by the program and by the other reader, which both go on.
#[test]
fn a_segment_that_is_gone_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let settings = config::Audit {
        dir: dir.path().join("audit"),
        node: SERVER.to_owned(),
        segment_bytes: 4096,
        deadline_ms: 5_000,
        enabled: true,
    };
    let options = Options::new(&settings, SERVER, [1; 32], Clock::system(), Entropy::system());
    let (server, _) = AuditLog::open(options).unwrap();
    for number in 1..=40 {
        server.commit_blocking(record(number)).unwrap();
    }
    let folder = server.folder().clone();
    drop(server);
    std::fs::remove_file(folder.segment(3)).unwrap();

    for arguments in [&["show", "--last", "100"][..], &["search", "--last", "100"]] {
        let told = cityquery(dir.path(), arguments);
        let (said, told) = (lines(&told), String::from_utf8_lossy(&told.stderr).into_owned());
        assert!(said.len() > 10, "{said:#?}");
        assert!(told.contains("node server, between segments 2 and 4: "), "{told}");
    }
    let segments: Vec<PathBuf> = folder.numbers().unwrap().into_iter().map(|number| folder.segment(number)).collect();
    let Some(output) = read_by_python(&segments) else { return };
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("are missing before this segment") && output.status.code() == Some(1), "{told}");
    assert!(output.stdout.split(|byte| *byte == b'\n').count() > 60);
}

/// What root writes, the owner of the log could not read.
#[test]
fn root_is_sent_to_the_owner_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let audit = dir.path().join("audit");
    std::fs::create_dir(&audit).unwrap();
    if std::os::unix::fs::chown(&audit, Some(4711), None).is_err() {
        return eprintln!("SKIPPED: only root can try it");
    }
    let refused = cityquery(dir.path(), &["show"]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && told.contains("sudo -u '#4711'"), "{told}");
    assert_eq!(std::fs::read_dir(&audit).unwrap().count(), 0, "nothing was written");
}

/// What the contract names and a later release brings is said so, and is no wrong usage.
#[test]
fn what_is_not_built_yet_says_so() {
    let dir = tempfile::tempdir().unwrap();
    for command in ["verify", "export"] {
        let refused = cityquery(dir.path(), &[command]);
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(1) && told.contains("not built yet"), "{command}: {told}");
    }
}
