//! No value stands in the log in the clear, and sealed parts open under their own key only.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::audit::seal::{Keyring, SealError};

fn files(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Sets when a file was last written.
fn made_at(path: &std::path::Path, at: time::OffsetDateTime) {
    std::fs::File::options().write(true).open(path).unwrap().set_modified(at.into()).unwrap();
}

#[test]
fn variables_and_case_numbers_are_sealed_under_the_months_key() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = AuditLog::open(options(dir.path())).unwrap();
    log.commit_blocking(record(1)).unwrap();
    let keys = log.keys();
    drop(log);
    made_at(&dir.path().join("keys/2026-11.key"), NOW);
    for path in files(dir.path()) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"MARKER"), "{} tells a secret", path.display());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0, "{} is open to others", path.display());
    }
    let (_, mut found, _) = stored(dir.path()).remove(0);
    let secrets = found.secrets(&keys).unwrap();
    assert_eq!(secrets.variables.as_deref(), Some(r#"{"no":"VARIABLE-MARKER-4712"}"#));
    assert_eq!(secrets.case_number.as_deref(), Some("CASE-MARKER-4711"));
    // Moved to another record, the sealed part does not open.
    found.id = Uuid::from_u128(2);
    assert!(matches!(found.secrets(&keys), Err(SealError::Altered(_))));
    found.id = Uuid::from_u128(1);
    // A key that was made after the record is not the one that sealed it.
    let path = dir.path().join("keys/2026-11.key");
    let right = std::fs::read(&path).unwrap();
    std::fs::write(&path, format!("{}\n", "ab".repeat(32))).unwrap();
    let keys = Keyring::open(&dir.path().join("keys"), Entropy::seeded(5)).unwrap();
    made_at(&path, NOW + Duration::from_secs(3_600));
    assert!(matches!(found.secrets(&keys), Err(SealError::OtherKey(_))));
    std::fs::write(&path, right).unwrap();
    // A destroyed key leaves the record and takes the secret.
    std::fs::remove_file(dir.path().join("keys/2026-11.key")).unwrap();
    let keys = Keyring::open(&dir.path().join("keys"), Entropy::seeded(5)).unwrap();
    assert!(matches!(found.secrets(&keys), Err(SealError::NoKey { .. })));
    found.sealed.as_mut().unwrap().partition = "../keys".to_owned();
    assert!(matches!(found.secrets(&keys), Err(SealError::Altered(_))));
}

#[test]
fn keys_last_and_change_with_the_month() {
    let dir = tempfile::tempdir().unwrap();
    let november = 1_796_083_199_999_999; // 2026-11-30 23:59:59.999999
    let first = Keyring::make(dir.path(), Entropy::seeded(1)).unwrap();
    let second = Keyring::make(dir.path(), Entropy::seeded(2)).unwrap();
    let id = Uuid::from_u128(1);
    let sealed = first.seal(id, november, b"secret").unwrap();
    assert_eq!(sealed.partition, "2026-11");
    assert_eq!(second.unseal(id, &sealed).unwrap(), b"secret");
    assert_eq!(first.seal(id, november + 1, b"secret").unwrap().partition, "2026-12");
    assert_eq!(first.seal(id, november, b"secret").unwrap().partition, "2026-11", "and back");
    assert_eq!(first.digest(b"body"), second.digest(b"body"));
    assert_ne!(first.digest(b"body"), first.digest(b"bodY"));
    assert_eq!(first.case_key(" CASE-1 "), second.case_key("CASE-1"));
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Keyring::make(dir.path(), Entropy::seeded(1)).unwrap());
    let path = dir.path().join("digest.key");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(Keyring::make(dir.path(), Entropy::seeded(1)).is_err());
}
