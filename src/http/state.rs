//! What every handler is given: settings, catalogue, accounts, engine, audit log, clock. Made once at start.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::body::Bytes;

use super::numbers::Numbers;
use crate::accounts::Accounts;
use crate::accounts::keys::shared_key;
use crate::audit::log::Options;
use crate::audit::{AuditLog, Recovery, index};
use crate::catalog::Catalog;
use crate::config::{Clock, Config, Entropy};
use crate::graphql::engine::Engine;
use crate::procedure::Procedure;
use crate::query::page::Sealer;
use crate::store::control;
use crate::store::layout::Databases;

/// The parts of the running program, shared by all requests.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The declarations.
    pub catalog: Arc<Catalog>,
    /// The schema as text.
    pub sdl: Bytes,
    /// Answers operations.
    pub engine: Arc<Engine>,
    /// People, sessions, forms; `accounts.rights()` is the rights store.
    pub accounts: Arc<Accounts>,
    /// The audit log.
    pub audit: Arc<AuditLog>,
    /// What was answered, for `/metrics`.
    pub numbers: Numbers,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// The demo's accounts as JSON, for the playground's one click; none on a real installation.
    pub demo_accounts: std::sync::OnceLock<Arc<str>>,
}

impl App {
    /// Opens an installation whose databases are migrated. What the audit log found at its end is told beside it.
    pub async fn open(
        config: Config,
        catalog: Arc<Catalog>,
        clock: Clock,
        entropy: Entropy,
    ) -> anyhow::Result<(App, Recovery)> {
        let db = control::connect(&config.control).await.context("the control database")?;
        let accounts = Accounts::open(db, &config, catalog.clone(), clock.clone(), entropy.clone()).await?;
        let mut options = Options::new(&config.audit, &config.audit.node, catalog.hash, clock.clone(), entropy.clone());
        options.known = index::reach(accounts.db(), &options.node).await.context("how far the audit log is indexed")?;
        let (audit, recovery) = AuditLog::open(options)?;
        index::claim(accounts.db(), audit.folder()).await.context("the name of this server's audit log, audit.node")?;
        let time = Duration::from_millis(config.limits.time_ms);
        let databases = Arc::new(
            Databases::open(&config.datasets, &config.sqlite, &config.postgres, time).context("the datasets")?,
        );
        let key =
            shared_key(&config.accounts.keys_dir, "cursors.key", &entropy).context("the key that seals cursors")?;
        let nonces = entropy.clone();
        let sealer = Sealer::new(&key, move || nonces.bytes());
        let audit = Arc::new(audit);
        let procedure = Procedure::new(accounts.clone(), catalog.clone(), audit.clone(), databases.clone(), &config);
        let engine = Arc::new(Engine::new(catalog.clone(), databases, procedure, &config.limits, sealer));
        let sdl = engine.face().sdl().into();
        let (numbers, demo_accounts) = (Numbers::default(), Default::default());
        Ok((App { config, catalog, sdl, engine, accounts, audit, numbers, clock, entropy, demo_accounts }, recovery))
    }
}
