//! PostgreSQL on the hot path: short statements pipelined over a few shared connections, long ones on their own. Where the
//! server lets in fewer connections than that, each serves the other's statements, rather than nobody.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::sync::{Notify, Semaphore, SemaphorePermit, watch};

use super::bind::Bind;
use super::postgres_address::Address;
use super::postgres_link::{Link, Slot};
use super::rows::Rows;
use super::source::{Dialect, Lane, Source, SourceError, Statement};
use crate::config;

/// After a connection could not be opened beside others, none is tried for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// One PostgreSQL database.
pub struct Postgres {
    address: Address,
    quick: Address,
    shared: Vec<Slot>,
    own: Vec<Slot>,
    turn: AtomicUsize,
    free: Mutex<Vec<usize>>,
    returned: Notify,
    permits: Semaphore,
    refused_at: Mutex<Option<Instant>>,
    /// How many connections are being opened.
    opening: watch::Sender<usize>,
}

impl Postgres {
    /// A database by URL. Connections open when first needed; each refuses statements longer than `time`.
    pub fn new(url: &str, numbers: &config::Postgres, time: Duration) -> Result<Postgres, SourceError> {
        let address = Address::read(url, "cityquery").map_err(|error| SourceError::Unavailable(error.to_string()))?;
        let options =
            format!("-c statement_timeout={} -c default_transaction_read_only=on -c jit=off", time.as_millis());
        let slots = |number: u16| (0..number).map(|_| Slot::default()).collect::<Vec<_>>();
        let (shared, own) = (slots(numbers.shared_connections), slots(numbers.own_connections));
        Ok(Postgres {
            address: address.with_options(&options),
            // Statements by key have one good plan; making a new one for each list of keys costs more than running it.
            quick: address.with_options(&format!("{options} -c plan_cache_mode=force_generic_plan")),
            turn: AtomicUsize::new(0),
            free: Mutex::new((0..own.len()).collect()),
            returned: Notify::new(),
            permits: Semaphore::new(own.len()),
            refused_at: Mutex::new(None),
            opening: watch::Sender::new(0),
            shared,
            own,
        })
    }

    async fn run_shared(&self, statement: &Statement, binds: &[Bind]) -> Result<Rows, SourceError> {
        let (slot, link) = match self.shared_link().await {
            Ok(open) => open,
            Err(error) => {
                let _permit = self.permit().await?;
                return self.lease_open().await.ok_or(error)?.run(statement, binds).await;
            }
        };
        slot.run_beside(&link, statement, binds).await
    }

    async fn run_own(&self, statement: &Statement, binds: &[Bind]) -> Result<Rows, SourceError> {
        let _permit = self.permit().await?;
        let lease = self.lease(|slot| slot.opened().is_some()).or_else(|| self.lease(|_| true));
        // For a permit there is one.
        let lease = lease.ok_or_else(|| SourceError::Unavailable("no connection free".into()))?;
        let Err(error) = self.open(lease.slot(), &self.address).await else {
            return lease.run(statement, binds).await;
        };
        drop(lease);
        if let Some(lease) = self.lease_open().await {
            return lease.run(statement, binds).await;
        }
        let (slot, link) = self.other_shared(0).ok_or(error)?;
        slot.run_beside(&link, statement, binds).await
    }

    /// The next shared connection, or another that is open.
    async fn shared_link(&self) -> Result<(&Slot, Arc<Link>), SourceError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.shared.len();
        let slot = &self.shared[turn];
        match self.open(slot, &self.quick).await {
            Ok(link) => Ok((slot, link)),
            Err(error) => self.other_shared(turn).ok_or(error),
        }
    }

    fn other_shared(&self, turn: usize) -> Option<(&Slot, Arc<Link>)> {
        let others = self.shared.iter().cycle().skip(turn).take(self.shared.len());
        others.filter_map(|slot| Some((slot, slot.opened()?))).next()
    }

    async fn open(&self, slot: &Slot, address: &Address) -> Result<Arc<Link>, SourceError> {
        if let Some(link) = slot.opened() {
            return Ok(link);
        }
        let open = || self.shared.iter().chain(&self.own).filter(|slot| slot.opened().is_some()).count();
        let refused_at = || self.refused_at.lock().unwrap_or_else(PoisonError::into_inner);
        if open() > 0 && refused_at().is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(SourceError::Unavailable("no further connection a moment ago".into()));
        }
        let opening = Opening::begin(&self.opening);
        let opened = slot.link(address).await;
        drop(opening);
        if let Err(error) = &opened {
            // Where many come at once and few are let in, those are still on their way in when the others are refused.
            let _ = self.opening.subscribe().wait_for(|opening| *opening == 0 || open() > 0).await; // the sender is ours
            if open() > 0 {
                *refused_at() = Some(Instant::now());
                tracing::warn!(%error, open = open(), "no further connection to PostgreSQL; those that are open serve");
            }
        }
        opened
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, SourceError> {
        self.permits.acquire().await.map_err(|error| SourceError::Unavailable(error.to_string()))
    }

    fn lease(&self, fits: impl Fn(&Slot) -> bool) -> Option<Lease<'_>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let at = free.iter().rposition(|number| fits(&self.own[*number]))?;
        Some(Lease { postgres: self, number: free.remove(at) })
    }

    /// A connection for long statements that is open already, as soon as one is free; none where none is open.
    async fn lease_open(&self) -> Option<Lease<'_>> {
        loop {
            let returned = self.returned.notified();
            futures::pin_mut!(returned);
            // Before looking, so that what comes back in between is not missed.
            returned.as_mut().enable();
            let open = self.lease(|slot| slot.opened().is_some());
            if open.is_some() || self.own.iter().all(|slot| slot.opened().is_none()) {
                return open;
            }
            returned.await;
        }
    }
}

/// A connection that is being opened, until dropped.
struct Opening<'a>(&'a watch::Sender<usize>);

impl<'a> Opening<'a> {
    fn begin(all: &'a watch::Sender<usize>) -> Opening<'a> {
        all.send_modify(|opening| *opening += 1);
        Opening(all)
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|opening| *opening -= 1);
    }
}

/// A connection for one long statement at a time, put back when dropped.
struct Lease<'a> {
    postgres: &'a Postgres,
    number: usize,
}

impl Lease<'_> {
    fn slot(&self) -> &Slot {
        &self.postgres.own[self.number]
    }

    /// Runs a statement on it, which has to be open.
    async fn run(&self, statement: &Statement, binds: &[Bind]) -> Result<Rows, SourceError> {
        let link = self.slot().opened().ok_or_else(|| SourceError::Unavailable("connection closed".into()))?;
        self.slot().run_alone(&link, statement, binds).await
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.postgres.free.lock().unwrap_or_else(PoisonError::into_inner).push(self.number);
        self.postgres.returned.notify_waiters();
    }
}

impl Source for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn query<'a>(
        &'a self,
        statement: &'a Statement,
        binds: Vec<Bind>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Rows, SourceError>> {
        Box::pin(async move {
            let run = async {
                match statement.lane {
                    Lane::Shared => self.run_shared(statement, &binds).await,
                    Lane::Own => self.run_own(statement, &binds).await,
                }
            };
            tokio::time::timeout_at(deadline.into(), run).await.unwrap_or(Err(SourceError::Timeout))
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Box::pin(async move {
            match self.shared_link().await {
                Ok((_, link)) => link.ping().await,
                // Statements are answered on these, too.
                Err(_) if self.own.iter().any(|slot| slot.opened().is_some()) => Ok(()),
                Err(error) => Err(error),
            }
        })
    }
}
