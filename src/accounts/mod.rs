//! Agencies, people and machine clients: passwords, sessions, tokens, keys, and master forms as stored.
//!
//! Reading order: [`session`] (signing in and staying so), [`token`] (what a request carries), [`rights`] (who is
//! who and holds what, as every request sees it), [`forms`] and [`people`] (how that is changed). Who may change
//! it is left to the procedure; HTTP is left to `http`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sea_orm::DatabaseConnection;
use tokio::sync::{Mutex, Semaphore, watch};
use uuid::Uuid;

use crate::catalog::Catalog;
use crate::config::{self, Clock, Config, Entropy};

pub mod client;
pub mod demo;
pub mod entity;
pub mod epoch;
pub mod error;
pub mod forms;
pub mod holder;
pub mod keys;
pub mod password;
pub mod password_change;
pub mod password_life;
pub mod people;
pub mod rights;
pub mod rights_read;
pub mod secret;
pub mod session;
pub mod token;

pub use error::{AccountsError, Actor, Reason, Refused};
pub use rights::{Person, RightsStore, Snapshot};
pub use session::Tokens;
pub use token::{Claims, Verified};

/// How often the counters of changes are asked for: a change is seen everywhere within a second.
const POLL: Duration = Duration::from_millis(300);
/// How long one may take.
const POLL_AT_MOST: Duration = Duration::from_secs(2);

/// Every how many polls the folder of keys is looked at.
const POLLS_PER_KEYS: u32 = 10;

/// Every how many polls tokens that have long expired are removed: once an hour or so.
const POLLS_PER_SWEEP: u32 = 12_000;

/// Sign-ins to one account happen one after another, so that guesses cannot outrun the count of failures: accounts go to as
/// many doors, by their names.
const DOORS: usize = 64;

/// Sign-ins before one door; further ones are told to come back. They would hold their connections for minutes.
const LINE: usize = 32;

/// Where sign-ins to some of the accounts happen one after another.
struct Door {
    line: Semaphore,
    turn: Mutex<()>,
}

impl Door {
    fn new() -> Door {
        Door { line: Semaphore::new(LINE), turn: Mutex::default() }
    }
}

/// Everything about accounts, one per program.
pub struct Accounts {
    db: DatabaseConnection,
    settings: config::Accounts,
    issuer: String,
    clock: Clock,
    entropy: Entropy,
    hasher: password::Hasher,
    keys: keys::KeyRing,
    holder_key: holder::HolderKey,
    rights: RightsStore,
    verified: moka::sync::Cache<[u8; 32], Arc<Verified>>,
    revoked: ArcSwap<HashSet<Uuid>>,
    doors: Vec<Door>,
    /// Moves with each step of the procedure, taken here or seen from another server.
    steps: watch::Sender<u64>,
}

impl Accounts {
    /// Reads keys, people, forms and revocations. The control tables must be there.
    pub async fn open(
        db: DatabaseConnection,
        config: &Config,
        catalog: Arc<Catalog>,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Arc<Self>, AccountsError> {
        let settings = config.accounts.clone();
        let keys = keys::KeyRing::open(&settings.keys_dir, &clock, &entropy)?;
        let holder_key = holder::HolderKey::open(&settings.keys_dir, &entropy)
            .map_err(|source| keys::KeyError::File { path: settings.keys_dir.clone(), source })?;
        let rights = RightsStore::open(&db, catalog).await?;
        let verified = moka::sync::Cache::builder()
            .max_capacity(100_000)
            .time_to_live(Duration::from_secs(settings.access_token_seconds))
            .build();
        let accounts = Self {
            hasher: password::Hasher::new(&entropy),
            issuer: config.server.public_url.clone(),
            db,
            settings,
            clock,
            entropy,
            keys,
            holder_key,
            rights,
            verified,
            revoked: ArcSwap::default(),
            doors: std::iter::repeat_with(Door::new).take(DOORS).collect(),
            steps: watch::Sender::new(0),
        };
        accounts.reload_revoked().await?;
        Ok(Arc::new(accounts))
    }

    /// Who is who and holds what.
    pub fn rights(&self) -> &RightsStore {
        &self.rights
    }

    /// The signing keys.
    pub fn keys(&self) -> &keys::KeyRing {
        &self.keys
    }

    /// What tells the holders of accounts apart.
    pub fn holder_key(&self) -> &holder::HolderKey {
        &self.holder_key
    }

    /// The control database.
    pub fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where randomness comes from.
    pub fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// The settings of accounts.
    pub fn settings(&self) -> &config::Accounts {
        &self.settings
    }

    /// Issuer and audience of the tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Follows changes made by other servers until the program ends.
    pub fn watch(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let accounts = Arc::clone(self);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(POLL);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let (mut seen, mut polls) = (epoch::Epochs::default(), 0u32);
            accounts.rights.heard();
            loop {
                ticks.tick().await;
                polls = polls.wrapping_add(1);
                if polls.is_multiple_of(POLLS_PER_KEYS)
                    && let Err(error) = accounts.keys.refresh()
                {
                    tracing::error!(%error, "the signing keys cannot be read; the known ones stay");
                }
                if polls.is_multiple_of(POLLS_PER_SWEEP)
                    && let Err(error) = accounts.sweep().await
                {
                    tracing::warn!(%error, "expired sessions could not be removed");
                }
                // A database that blocks is as good as one that fails.
                match tokio::time::timeout(POLL_AT_MOST, accounts.poll(&mut seen)).await {
                    Ok(Ok(())) => accounts.rights.heard(),
                    Ok(Err(error)) => tracing::error!(%error, "the control database does not tell of changes"),
                    Err(_) => tracing::error!("the control database does not answer: changes are not heard"),
                }
            }
        })
    }

    async fn poll(&self, seen: &mut epoch::Epochs) -> Result<(), AccountsError> {
        let epochs = epoch::read(&self.db).await?;
        if epochs.rights != self.rights.current().epoch {
            self.rights.reload(&self.db).await?;
        }
        if epochs.sessions != seen.sessions {
            self.reload_revoked().await?;
        }
        if epochs.procedure != seen.procedure {
            self.stepped();
        }
        *seen = epochs;
        Ok(())
    }

    /// Wakes whoever waits for steps of the procedure.
    pub fn stepped(&self) {
        self.steps.send_modify(|steps| *steps = steps.wrapping_add(1));
    }

    /// Changes with each step of the procedure.
    pub fn watch_steps(&self) -> watch::Receiver<u64> {
        self.steps.subscribe()
    }

    /// Whether an account is active and that session of it has not been ended, as far as this server has heard.
    pub fn stands(&self, account: &str, session: Uuid) -> bool {
        let active = self.rights.current().person(account).is_some_and(|person| person.active);
        active && !self.is_revoked(session) && self.rights.hears()
    }
}
