//! What every handler is given: settings, catalogue, accounts, audit log, clock. Made once at start.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::audit::AuditLog;
use crate::catalog::Catalog;
use crate::config::{Clock, Config, Entropy};

/// The parts of the running program, shared by all requests.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The declarations.
    pub catalog: Arc<Catalog>,
    /// People, sessions, forms; `accounts.rights()` is the rights store.
    pub accounts: Arc<Accounts>,
    /// The audit log.
    pub audit: Arc<AuditLog>,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// The demo's accounts as JSON, for the playground's one click; none on a real installation.
    pub demo_accounts: Option<Arc<str>>,
}
