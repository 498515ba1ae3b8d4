//! A caller and an engine without accounts or HTTP, for tests of what lies below them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cityquery::access::{Caller, FormRights, Language, Rights};
use cityquery::catalog::Catalog;
use cityquery::config::{Config, Connection, Limits};
use cityquery::graphql::engine::Engine;
use cityquery::query::page::Sealer;
use cityquery::store::layout::Databases;
use time::macros::{date, datetime};
use uuid::Uuid;

/// Limits that made-up operations do not meet; what happens at the limits has tests of its own.
pub fn limits() -> Limits {
    let defaults = Config::load(None).expect("the defaults load").limits;
    Limits { aliases: 5_000, fields: 5_000, cost: u64::MAX, rows: 10_000_000, time_ms: 60_000, ..defaults }
}

/// An engine over filled databases.
pub fn engine(catalog: &Arc<Catalog>, connections: &BTreeMap<String, Connection>) -> Engine {
    let limits = limits();
    let sqlite = cityquery::config::Config::load(None).expect("the defaults").sqlite;
    let databases = Databases::open(connections, &sqlite, Duration::from_millis(limits.time_ms)).expect("opens");
    let next = AtomicU64::new(1);
    let nonces = move || {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&next.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        nonce
    };
    Engine::new(catalog.clone(), databases, &limits, Sealer::new(&[7; 32], nonces))
}

/// Somebody who holds one form with those rights.
pub fn caller(rights: Rights) -> Caller {
    let form = FormRights {
        number: "TEST-1".into(),
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
        session: Uuid::from_u128(1),
        form: Some(Arc::new(form)),
        purpose: Some("test".into()),
        case_number: None,
        client_address: None,
        request_id: Uuid::from_u128(2),
        language: Language::En,
        now: datetime!(2026-03-02 01:00 UTC),
    }
}
