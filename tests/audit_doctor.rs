//! What `cityquery doctor` says of the audit log and the keys: whatever a start refuses is a fault.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use cityquery::accounts::keys::shared_key;
use cityquery::audit::{AuditLog, Kind, Options, Outcome, Record, Right, Who, Why, index};
use cityquery::config::{Clock, Config, Entropy};
use cityquery::store::control;
use uuid::Uuid;

fn doctor(dir: &Path) -> (Option<i32>, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_cityquery")).args(["doctor", "--data-dir"]).arg(dir).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// An installation that has served: migrated, with keys, and a record in the log.
async fn installation(dir: &Path) {
    let migrated =
        Command::new(env!("CARGO_BIN_EXE_cityquery")).args(["migrate", "--data-dir"]).arg(dir).output().unwrap();
    assert!(migrated.status.success());
    let (config, clock, entropy) = (Config::embedded(dir).unwrap(), Clock::system(), Entropy::system());
    fs::create_dir_all(&config.accounts.keys_dir).unwrap();
    shared_key(&config.accounts.keys_dir, "cursors.key", &entropy).unwrap();
    let options = Options::new(&config.audit, &config.audit.node, [1; 32], clock, entropy);
    for number in 1..=2 {
        let (log, _) = AuditLog::open(options.clone()).unwrap();
        let db = control::connect(&config.control).await.unwrap();
        index::claim(&db, log.folder()).await.unwrap();
        let who = Who { account: "cityquery".into(), agency: "-".into(), session: None, client_address: None };
        let record = Record {
            id: Uuid::from_u128(number),
            started_us: 1_795_392_600_000_000,
            duration_us: 1,
            kind: Kind::Start,
            who,
            why: Why::default(),
            right: Right { epoch: 1, schema_hash: [1; 32] },
            asked: None,
            touched: Vec::new(),
            outcome: Outcome::default(),
            note: None,
        };
        log.commit(record).await.unwrap();
    }
}

/// As the manual begins: what has only been migrated is whole.
#[test]
fn what_never_served_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, file) = (dir.path().join("new"), dir.path().join("rows.csv"));
    let cityquery = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cityquery"))
            .args(arguments)
            .arg("--data-dir")
            .arg(&folder)
            .current_dir(dir.path()) // where the reject file goes
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert!(cityquery(&["migrate"]).0, "it makes the folder");
    let (code, text) = doctor(&folder);
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("FAIL"), "{text}");

    // What is looked up in has to be there first, and the reader is told which table that is.
    fs::write(&file, "permit_no,parcel_raw\n090使字第0001號,臺北市松山區寶清段四小段0547-0000號\n").unwrap();
    let (done, told) = cityquery(&["import", "use-permit-parcels", file.to_str().unwrap()]);
    assert!(!done && told.contains("land.land_sections has to be imported first"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_sees_what_a_start_refuses() {
    type Mischief = fn(&Path);
    let deeds: [(&str, Mischief, &str); 8] = [
        (
            "audit/keys/digest.key",
            |path| fs::set_permissions(path, PermissionsExt::from_mode(0o644)).unwrap(),
            "chmod 600",
        ),
        ("audit/keys/case.key", |path| fs::remove_file(path).unwrap(), "case.key"),
        ("audit/keys/2026-01.key", |path| fs::write(path, "garbage").unwrap(), "2026-01.key"),
        ("keys/cursors.key", |path| fs::write(path, "xx").unwrap(), "must hold 32 bytes"),
        ("keys/cursors.key", |path| fs::set_permissions(path, PermissionsExt::from_mode(0o644)).unwrap(), "chmod 600"),
        ("audit/server/id", |path| fs::write(path, "").unwrap(), "is not what the index knows"),
        ("audit/server/server-0000000001.seg", |path| fs::remove_file(path).unwrap(), "frames are missing"),
        (
            "audit",
            |path| {
                fs::remove_dir_all(path).unwrap();
                fs::write(path, "").unwrap();
            },
            "Not a directory",
        ),
    ];
    for (what, deed, told) in deeds {
        let folder = tempfile::tempdir().unwrap();
        installation(folder.path()).await;
        let (code, said) = doctor(folder.path());
        assert_eq!(code, Some(0), "before: {said}");
        deed(&folder.path().join(what));
        let (code, said) = doctor(folder.path());
        assert!(code == Some(1) && said.contains(told), "{what}: {code:?} {said}");
    }
}
