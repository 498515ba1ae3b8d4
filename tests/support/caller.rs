//! A caller and an engine without people or HTTP, for tests of what lies below them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cityquery::access::{Caller, FormRights, Language, Rights};
use cityquery::accounts::Accounts;
use cityquery::audit::AuditLog;
use cityquery::audit::log::{Options, SERVER};
use cityquery::catalog::Catalog;
use cityquery::config::{Clock, Config, Connection, Entropy, Limits};
use cityquery::graphql::engine::Engine;
use cityquery::procedure::Procedure;
use cityquery::query::page::Sealer;
use cityquery::store::control;
use cityquery::store::layout::Databases;
use time::macros::{date, datetime};
use uuid::Uuid;

/// Limits that made-up operations do not meet; what happens at the limits has tests of its own.
pub fn limits() -> Limits {
    let defaults = Config::load(None).expect("the defaults load").limits;
    Limits { aliases: 5_000, fields: 5_000, cost: u64::MAX, rows: 10_000_000, time_ms: 60_000, ..defaults }
}

/// An engine, and the folder of its control database and log.
pub struct TestEngine {
    engine: Arc<Engine>,
    _folder: tempfile::TempDir,
}

impl std::ops::Deref for TestEngine {
    type Target = Arc<Engine>;

    fn deref(&self) -> &Arc<Engine> {
        &self.engine
    }
}

/// An engine over filled databases; nobody has an account.
pub async fn engine(catalog: &Arc<Catalog>, connections: &BTreeMap<String, Connection>) -> TestEngine {
    let limits = limits();
    let defaults = Config::load(None).expect("the defaults");
    let time = Duration::from_millis(limits.time_ms);
    let databases = Databases::open(connections, &defaults.sqlite, &defaults.postgres, time).expect("opens");
    let databases = Arc::new(databases);
    let next = AtomicU64::new(1);
    let nonces = move || {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&next.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        nonce
    };
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config::embedded(folder.path()).expect("settings");
    let (clock, entropy) = (Clock::system(), Entropy::seeded(3));
    let db = control::connect(&config.control).await.expect("connects");
    control::migrate(&config.control, &db).await.expect("migrates");
    let accounts = Accounts::open(db, &config, catalog.clone(), clock.clone(), entropy.clone()).await.expect("opens");
    let log = AuditLog::open(Options::new(&config.audit, SERVER, catalog.hash, clock, entropy)).expect("opens").0;
    let procedure = Procedure::new(accounts, catalog.clone(), Arc::new(log), databases.clone(), &config);
    let sealer = Sealer::new(&[7; 32], nonces);
    TestEngine {
        engine: Arc::new(Engine::new(catalog.clone(), databases, procedure, &limits, sealer)),
        _folder: folder,
    }
}

/// Somebody who holds one form with those rights.
pub fn caller(rights: Rights) -> Caller {
    let form = FormRights {
        number: "TEST-1".into(),
        sub_form: "TEST-1/1".into(),
        title: "測試".into(),
        version: 1,
        agency: "fire-department".into(),
        purposes: vec!["test".into()],
        case_required: false,
        from: date!(2026 - 01 - 01),
        until: date!(2026 - 12 - 31),
        epoch: 1,
        rights,
    };
    Caller {
        account_id: 1,
        account: "tester".into(),
        agency: "fire-department".into(),
        roles: [].into(),
        session: Uuid::from_u128(1),
        token_ends: datetime!(2026-03-02 02:00 UTC),
        form: Some(Arc::new(form)),
        without_form: None,
        purpose: Some("test".into()),
        case_number: None,
        idempotency_key: None,
        client_address: None,
        request_id: Uuid::from_u128(2),
        language: Language::En,
        now: datetime!(2026-03-02 01:00 UTC),
    }
}
